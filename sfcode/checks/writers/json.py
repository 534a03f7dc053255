"""Diagnostics as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.rules import RULES
from sfcode.diagnostics import Diagnostic, Level, Position

if TYPE_CHECKING:
    from sfcode.checks.writers.document_types import FilePosition, LevelName, ReportedDiagnostic


def to_json(diagnostic: Diagnostic) -> ReportedDiagnostic:
    """Return one diagnostic as JSON values."""
    return {
        "rule": diagnostic.rule,
        "name": RULES[diagnostic.rule].name,
        "level": cast("LevelName", diagnostic.level.word),
        "message": redact_secrets(diagnostic.message),
        "hint": redact_secrets(diagnostic.hint),
        "path": diagnostic.path,
        "position": position_to_json(diagnostic.position),
        "related": position_to_json(diagnostic.related),
    }


def position_to_json(position: Position | None) -> FilePosition | None:
    """Return a position as JSON values; None if there is none."""
    return {"file": position.file, "line": position.line, "column": position.column} if position else None


def to_document(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return all diagnostics as JSON values, with the numbers of errors and warnings."""
    return {
        "errors": sum(diagnostic.level is Level.ERROR for diagnostic in diagnostics),
        "warnings": sum(diagnostic.level is Level.WARNING for diagnostic in diagnostics),
        "findings": [to_json(diagnostic) for diagnostic in diagnostics],
    }


def to_doctor_document(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return the doctor's diagnostics as JSON values: with area, example records, and the keys of older versions."""
    document = to_document(diagnostics)
    for entry, diagnostic in zip(document["findings"], diagnostics, strict=True):
        entry["id"], entry["where"] = diagnostic.rule, diagnostic.path
        entry["area"] = RULES[diagnostic.rule].area
        entry["level"] = "info" if diagnostic.level is Level.NOTE else diagnostic.level.word
        entry["records"] = list(diagnostic.records)
    return document
