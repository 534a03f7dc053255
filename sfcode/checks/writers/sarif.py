"""Diagnostics as SARIF 2.1.0, for GitHub's code scanning and other tools."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from sfcode import __version__
from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.rules import LINT_RULES, CheckRule
from sfcode.checks.writers import in_repository
from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.text import spell_out

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def format_sarif(
    diagnostics: Iterable[Diagnostic],
    *,
    folder: str = "",
    rules: Mapping[str, CheckRule] = LINT_RULES,
    older: Container[Diagnostic] = (),
) -> str:
    """
    Render a SARIF log.

    `folder` is the path of the config in the repository, the prefix of positions; `older` contains the diagnostics that
    existed before the change.
    """
    indexes = {id_: index for index, id_ in enumerate(rules)}
    driver = {"name": "sfcode", "semanticVersion": __version__, "rules": [_rule(rule) for rule in rules.values()]}
    results = [_result(folder, diagnostic, indexes[diagnostic.rule], older) for diagnostic in diagnostics]
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _rule(rule: CheckRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.says},
        "defaultConfiguration": {"level": rule.level.word},
    }


def _result(folder: str, diagnostic: Diagnostic, index: int, older: Container[Diagnostic]) -> dict[str, Any]:
    text = spell_out(redact_secrets(diagnostic.text))
    position = in_repository(folder, diagnostic.position, diagnostic.path)
    identity = f"{diagnostic.rule}\n{position.file}\n{diagnostic.path}\n{diagnostic.message}"
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule,
        "ruleIndex": index,
        **_level(diagnostic.level),
        "message": {"text": f"{text[:1].upper()}{text[1:].removesuffix('.')}."},
        "locations": [_location(position)],
        "baselineState": "unchanged" if diagnostic in older else "new",
        "partialFingerprints": {"sfcode/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if diagnostic.related:
        related = _location(in_repository(folder, diagnostic.related, ""))
        result["relatedLocations"] = [{"id": 1, **related, "message": {"text": "The template that does it."}}]
    return result


def _level(level: Level) -> dict[str, str]:
    """Return the SARIF kind and level; a passed check has its own kind and no level."""
    return {"kind": "pass", "level": "none"} if level is Level.OK else {"level": level.word}


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
