"""The review as a JSON document, for `--format json` and other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sfcode import __version__
from sfcode.checks.access_changes import Access
from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.writers.json import position_to_json, to_json
from sfcode.plan.change import Action
from sfcode.plan.document import change_document
from sfcode.review.model import Effect, ReviewReport, Revision, Statement

if TYPE_CHECKING:  # slow to import, and needed at run time only by `sfcode schema`
    from sfcode.review.reports.document_types import (
        EnvironmentEffect,
        ReviewDocument,
        ReviewedAccess,
        ReviewedRevision,
        ReviewStatement,
    )

FORMAT_VERSION = "1.0"


def to_document(review: ReviewReport) -> dict[str, Any]:
    """Return the review as JSON values; changes have the same shape as in a plan."""
    document: ReviewDocument = {
        "format_version": FORMAT_VERSION,
        "sfcode_version": __version__,
        "base": _revision(review.base),
        "head": _revision(review.head),
        "environments": list(review.environments),
        "protected": list(review.touched),
        "changes": not review.is_empty,
        "risk": review.risk.word,
        "summary": {
            "create": review.count(Action.CREATE),
            "update": review.count(Action.UPDATE),
            "delete": review.count(Action.DELETE),
        },
        "statements": [_statement(statement) for _, inside in review.group_statements() for statement in inside],
        "effects": [_effect(effect) for effect in review.effects],
        "findings": [
            {**to_json(diagnostic), "new": diagnostic not in review.older} for diagnostic in review.diagnostics
        ],
        "notes": list(review.notes),
        "problems": [str(problem) for problem in review.problems],
        "base_problems": [str(problem) for problem in review.base_problems],
    }
    redacted: dict[str, Any] = _redact(document)
    return redacted


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return redact_secrets(value)
    if isinstance(value, dict):
        return {key: _redact(inner) for key, inner in value.items()}
    return [_redact(inner) for inner in value] if isinstance(value, list | tuple) else value


def as_json(review: ReviewReport) -> str:
    """Render the document."""
    return json.dumps(to_document(review), indent=2, ensure_ascii=False)


def _revision(revision: Revision) -> ReviewedRevision:
    return {"name": revision.name, "commit": revision.commit or None, "how": revision.how}


def _statement(statement: Statement) -> ReviewStatement:
    return {
        "group": statement.group.name.lower(),
        "text": statement.text,
        "risk": statement.risk.word,
        "because": statement.because,
        "position": position_to_json(statement.position),
        "environments": list(statement.environments),
    }


def _effect(effect: Effect) -> EnvironmentEffect:
    return {
        "environments": list(effect.environments),
        "protected": effect.protected,
        "resource_changes": [change_document(change) for change in effect.changes],
        "access": [_access(row) for row in effect.access],
    }


def _access(row: Access) -> ReviewedAccess:
    return {
        "kind": row.kind,
        "name": row.name,
        "before": list(row.before),
        "after": list(row.after),
        "changed": row.changed,
        "why": row.path,
        "position": position_to_json(row.position),
    }
