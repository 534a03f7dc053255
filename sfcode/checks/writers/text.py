"""Diagnostics as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sfcode.checks.lint.confidential import redact_secrets
from sfcode.diagnostics import Diagnostic, Level
from sfcode.text import Paint, count_noun, plain

HEADINGS = {Level.ERROR: "Errors", Level.WARNING: "Warnings", Level.NOTE: "Notes", Level.OK: "Good"}
SIGNS = {Level.ERROR: "-", Level.WARNING: "~", Level.NOTE: "", Level.OK: "+"}


def format_line(diagnostic: Diagnostic, paint: Paint = plain) -> str:
    """Render one diagnostic as a line: level, rule, place, message, hint."""
    label = paint(f"{diagnostic.level.word} {diagnostic.rule}", "!" if diagnostic.level is Level.ERROR else "~")
    related = f" (see {diagnostic.related})" if diagnostic.related else ""
    return f"{label} {redact_secrets(str(diagnostic))}{related}"


def format_message(diagnostic: Diagnostic, paint: Paint = plain) -> str:
    """Render one diagnostic like a compiler does: `Warning: place: what [rule]`."""
    text = f"{diagnostic.level.word.capitalize()}: {redact_secrets(str(diagnostic))} [{diagnostic.rule}]"
    return paint(text, "!" if diagnostic.level is Level.ERROR else "~")


def format_report(diagnostics: Sequence[Diagnostic], paint: Paint = plain, *, quiet: bool = False) -> str:
    """Render sorted diagnostics under a heading for each level, and their numbers; only errors and warnings when quiet."""
    return "\n".join(_lines(diagnostics, paint, quiet=quiet))


def _lines(diagnostics: Sequence[Diagnostic], paint: Paint, *, quiet: bool) -> Iterator[str]:
    visible_diagnostics = [member for member in diagnostics if not quiet or member.level >= Level.WARNING]
    for level, group in groupby(visible_diagnostics, key=lambda member: member.level):
        yield HEADINGS[level]
        for diagnostic in group:
            related = f" (see {diagnostic.related})" if diagnostic.related else ""
            yield f"  {paint(diagnostic.rule, SIGNS[level])}  {redact_secrets(str(diagnostic))}{related}"
        yield ""
    yield f"{summarize(diagnostics)}."


def summarize(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the numbers of errors and warnings: `1 error, 2 warnings`."""
    numbers = (sum(diagnostic.level is level for diagnostic in diagnostics) for level in (Level.ERROR, Level.WARNING))
    words = zip(numbers, ("error", "warning"), strict=True)
    return ", ".join(count_noun(number, word) for number, word in words)
