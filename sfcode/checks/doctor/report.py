"""Findings as lines for people, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sfcode.checks.doctor.finding import Finding, Level, count

HEADS = {Level.ERROR: "Errors", Level.WARNING: "Warnings", Level.INFO: "Notes", Level.OK: "Good"}
SIGNS = {Level.ERROR: "-", Level.WARNING: "~", Level.OK: "+", Level.INFO: ""}
LOUD = frozenset({Level.ERROR, Level.WARNING})

Paint = Callable[[str, str], str]


def text(findings: Sequence[Finding], paint: Paint, *, quiet: bool = False) -> str:
    """Write one line for each finding, the worst first, and how many there are."""
    return "\n".join(_lines(findings, paint, quiet=quiet))


def _lines(findings: Sequence[Finding], paint: Paint, *, quiet: bool) -> Iterator[str]:
    shown = [each for each in findings if not quiet or each.level in LOUD]
    for level, group in groupby(shown, key=lambda each: each.level):
        yield HEADS[level]
        for finding in group:
            yield f"  {paint(finding.id, SIGNS[level])}  {line(finding)}"
        yield ""
    yield summary(findings)


def line(finding: Finding) -> str:
    """Write a finding as one line: where, what, an example, the hint."""
    where = ": ".join(str(part) for part in (finding.position, finding.where) if part)
    shown = f" (such as {', '.join(finding.records)})" if finding.records else ""
    message = f"{finding.message}{shown}"
    end = f". {finding.hint}" if finding.hint else ""
    return f"{where}: {message}{end}" if where else f"{message}{end}"


def summary(findings: Sequence[Finding]) -> str:
    """Say how many errors and warnings there are."""
    errors, warnings = count(findings, Level.ERROR), count(findings, Level.WARNING)
    return f"{_some(errors, 'error')}, {_some(warnings, 'warning')}."


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Write findings as JSON values."""
    return {
        "errors": count(findings, Level.ERROR),
        "warnings": count(findings, Level.WARNING),
        "findings": [
            {
                "id": each.id,
                "name": each.name,
                "area": each.area,
                "level": each.level.value,
                "message": each.message,
                "hint": each.hint,
                "where": each.where,
                "position": _position(each),
                "records": list(each.records),
            }
            for each in findings
        ],
    }


def _position(finding: Finding) -> dict[str, Any] | None:
    at = finding.position
    return None if at is None else {"file": at.file, "line": at.line, "column": at.column}
