"""The findings as SARIF 2.1.0, which GitHub's code scanning and many others read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from sfcode import __version__
from sfcode.checks.lint.secrets import masked
from sfcode.checks.rules import RULES, Rule
from sfcode.diagnostics import Position
from sfcode.review.model import Finding, Review
from sfcode.review.reports.common import all_findings, place_in_repository, related_in_repository

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(review: Review) -> str:
    """Write the log of a review; positions are seen from the top of the repository."""
    return log(all_findings(review), folder=review.folder)


def log(findings: Iterable[Finding], *, folder: str = "", rules: Mapping[str, Rule] = RULES) -> str:
    """Write the log of findings; `folder` is where their positions start, seen from the top of the repository."""
    used = list(rules)
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sfcode",
                        "semanticVersion": __version__,
                        "rules": [_rule(rules[id_]) for id_ in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(folder, finding, used.index(finding.rule)) for finding in findings],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.says},
        "defaultConfiguration": {"level": rule.level.word},
    }


def _result(folder: str, finding: Finding, index: int) -> dict[str, Any]:
    text = masked(f"{finding.message}; {finding.hint}" if finding.hint else finding.message)
    where = place_in_repository(folder, finding)
    print_ = hashlib.sha256(f"{finding.rule}\n{where.file}\n{finding.path}\n{finding.message}".encode()).hexdigest()
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level.word,
        "message": {"text": f"{text[:1].upper()}{text[1:]}."},
        "locations": [_location(where)],
        "baselineState": "new" if finding.new else "unchanged",
        "partialFingerprints": {"sfcode/v1": print_},
    }
    related = related_in_repository(folder, finding)
    if related:
        result["relatedLocations"] = [
            {"id": 1, **_location(related), "message": {"text": "The template that does it."}}
        ]
    return result


def _location(position: Position) -> dict[str, Any]:
    artifact: dict[str, Any] = {"uri": quote(position.file)}
    if not position.file.startswith("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    else:
        artifact["uri"] = f"file://{artifact['uri']}"
    return {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": position.line, "startColumn": position.column},
        }
    }
