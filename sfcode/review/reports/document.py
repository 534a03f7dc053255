"""The review as a JSON document: what `--format json` prints, and what other programs read."""

from __future__ import annotations

import json
from typing import Any

from sfcode import __version__
from sfcode.checks.lint.secrets import masked
from sfcode.diagnostics import Position
from sfcode.plan.change import Action
from sfcode.plan.document import change_document
from sfcode.review.model import Access, Effect, Finding, Review, Revision, Statement
from sfcode.review.reports.common import all_findings

FORMAT_VERSION = "1.0"


def to_document(review: Review) -> dict[str, Any]:
    """Return the review as JSON values; changes have the shape that they have in a plan."""
    document = {
        "format_version": FORMAT_VERSION,
        "sfcode_version": __version__,
        "base": _revision(review.base),
        "head": _revision(review.head),
        "environments": list(review.environments),
        "protected": list(review.touched),
        "changes": not review.is_empty,
        "risk": review.risk.word,
        "summary": {action.value: review.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)},
        "statements": [_statement(one) for _, inside in review.grouped() for one in inside],
        "effects": [_effect(effect) for effect in review.effects],
        "findings": [_finding(finding) for finding in all_findings(review)],
        "notes": list(review.notes),
        "problems": [str(problem) for problem in review.problems],
        "base_problems": [str(problem) for problem in review.base_problems],
    }
    masked_document: dict[str, Any] = _masked(document)
    return masked_document


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list | tuple) else value


def as_json(review: Review) -> str:
    """Write the document."""
    return json.dumps(to_document(review), indent=2, ensure_ascii=False)


def _revision(revision: Revision) -> dict[str, Any]:
    return {"name": revision.name, "commit": revision.commit or None, "how": revision.how}


def _place(position: Position | None) -> dict[str, Any] | None:
    return {"file": position.file, "line": position.line, "column": position.column} if position else None


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "group": statement.group.name.lower(),
        "text": statement.text,
        "risk": statement.risk.word,
        "because": statement.because,
        "position": _place(statement.position),
        "environments": list(statement.environments),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "environments": list(effect.environments),
        "protected": effect.protected,
        "resource_changes": [change_document(change) for change in effect.changes],
        "access": [_access(row) for row in effect.access],
    }


def _access(row: Access) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "before": list(row.before),
        "after": list(row.after),
        "changed": row.changed,
        "why": row.why,
        "position": _place(row.position),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level.word,
        "message": finding.message,
        "hint": finding.hint,
        "path": finding.path,
        "position": _place(finding.position),
        "related": _place(finding.related),
        "new": finding.new,
    }
