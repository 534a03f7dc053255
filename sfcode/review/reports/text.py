"""The review for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.access_changes import Access
from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.writers.text import format_line
from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan
from sfcode.plan.reports.diff_tree import lines
from sfcode.plan.reports.plan_items import SIGNS, describe_move
from sfcode.review.model import Effect, ReviewReport, Risk, Statement
from sfcode.review.reports.common import NOTHING, describe_comparison, describe_environments, headline
from sfcode.text import Paint, count_noun, plain

_COLORS = {Risk.HIGH: "!", Risk.MEDIUM: "~", Risk.LOW: ""}


def text(review: ReviewReport, paint: Paint = plain) -> str:
    """Render the review."""
    return redact_secrets("\n".join(_report(review, paint)))


def _report(review: ReviewReport, paint: Paint) -> Iterator[str]:
    if review.is_empty:
        yield NOTHING
        yield from _findings(review, paint)
        return
    yield f"{describe_comparison(review)}."
    for note in review.notes:
        yield f"Note: {note}"
    for problem in review.base_problems:
        yield f"  {problem}"
    if review.problems:
        yield ""
        yield paint("The config does not load:", "!")
        yield from (f"  {problem}" for problem in review.problems)
    for group, statements in review.group_statements():
        yield ""
        yield group.value
        yield from (_statement(statement, paint) for statement in statements)
    for effect in review.effects:
        yield from _effect(effect, review, paint)
    yield from _findings(review, paint)
    yield ""
    yield paint(f"{headline(review)}.", _COLORS[review.risk])


def _statement(statement: Statement, paint: Paint) -> str:
    environments = f" (in {', '.join(statement.environments)})" if statement.environments else ""
    label = f"  [{statement.risk.word}: {statement.because}]" if statement.because else ""
    return f"  * {statement.text}{environments}.{paint(label, _COLORS[statement.risk])}"


def _effect(effect: Effect, review: ReviewReport, paint: Paint) -> Iterator[str]:
    suffix = describe_environments(effect, review)
    rows = [row for row in effect.access if row.changed]
    if rows:
        yield ""
        yield f"Effective access of the integration user{suffix}"
        widths = [max(len(cell) for cell in column) for column in zip(*map(_cells, rows), strict=True)]
        for row in rows:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=True)).rstrip()
    if effect.changes:
        yield ""
        yield f"Components and records{suffix}"
        for change in effect.changes:
            yield from _change(change, effect.plan, paint)
        if len(effect.environments) > 1:
            yield f"  (values as in {effect.environments[0]})"


def _cells(row: Access) -> tuple[str, ...]:
    before, after = (", ".join(rights) or "-" for rights in (row.before, row.after))
    return (row.name, f"{before} -> {after}", row.path)


def _change(change: Change, plan: Plan, paint: Paint) -> Iterator[str]:
    sign, moved = SIGNS[change.action], describe_move(change, plan.moves)
    yield f"  {paint(sign, sign)} {change.address}" + (f" ({moved})" if moved else "")
    # Only addresses of deleted components are shown; the base has their content.
    for line in () if change.action is Action.DELETE else lines(change):
        yield f"      {'    ' * line.depth}{paint(line.sign, line.sign)} {line.text}"


def _findings(review: ReviewReport, paint: Paint) -> Iterator[str]:
    if review.news:
        yield ""
        yield "Findings"
        yield from (f"  {format_line(finding, paint)}" for finding in review.news)
    older = len(review.findings) - len(review.news)
    if older and not review.is_empty:
        yield ""
        yield f"{count_noun(older, 'older finding')} of the base: --format json or sarif lists them."
