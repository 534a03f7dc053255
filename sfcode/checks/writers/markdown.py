"""Diagnostics as GitHub-flavored Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.writers.text import HEADINGS, summarize
from sfcode.diagnostics import Diagnostic
from sfcode.plan.reports.markdown_parts import inline


def format_item(diagnostic: Diagnostic) -> str:
    """Render one diagnostic as a list item."""
    place = str(diagnostic.position or diagnostic.path)
    prefix = f"`{place}` " if place else ""
    text = inline(redact_secrets(diagnostic.text))
    return f"- **{diagnostic.level.word} {diagnostic.rule}** {prefix}{text}"


def format_report(diagnostics: Sequence[Diagnostic]) -> str:
    """Render sorted diagnostics under a heading for each level."""
    return "\n".join(_lines(diagnostics)) + "\n"


def _lines(diagnostics: Sequence[Diagnostic]) -> Iterator[str]:
    yield f"### {summarize(diagnostics)}"
    for level, group in groupby(diagnostics, key=lambda diagnostic: diagnostic.level):
        yield f"\n#### {HEADINGS[level]}\n"
        yield from map(format_item, group)
