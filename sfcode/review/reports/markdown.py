"""The review as GitHub-flavored Markdown, for a pull request comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from sfcode.checks.access_changes import Access
from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.writers.markdown import format_item
from sfcode.lazy_dataclasses import dataclass
from sfcode.plan.change import Action, Change
from sfcode.plan.reports.diff_tree import lines
from sfcode.plan.reports.markdown_parts import cell, diff_block, fold, inline
from sfcode.plan.reports.plan_items import SIGNS, describe_move
from sfcode.review.model import Effect, ReviewReport, Risk, Statement
from sfcode.review.reports.common import describe_comparison, describe_environments, headline
from sfcode.text import count_noun

COMMENT_LIMIT = 65_536
"""The maximum length of a comment or an issue in GitHub, in characters."""

_HIGH, _MEDIUM, _LOW, _ACCESS, _NEWS, _ADDRESSES, _DIFFS, _OLDER, _WHOLE = range(1, 10)
_BY_RISK = {Risk.HIGH: _HIGH, Risk.MEDIUM: _MEDIUM, Risk.LOW: _LOW}
_CUT = "\n_Truncated: the whole text is longer than a comment may be._"


@dataclass(frozen=True, slots=True)
class _Section:
    """The text before and after the blocks of one kind: a heading, the head of a table, or a collapsed section."""

    opening: str = ""
    closing: str = ""


_NO_SECTION = _Section()
_STATEMENTS = _Section("\n| risk | topic | what changes | where |\n| --- | --- | --- | --- |")
_FINDINGS = _Section("\n#### Findings\n")


@dataclass(frozen=True, slots=True)
class _Block:
    """A part that is rendered completely or not at all; parts with smaller numbers are kept longer."""

    text: str
    keep: int = 0
    section: _Section = _NO_SECTION


def markdown(review: ReviewReport, limit: int = COMMENT_LIMIT) -> str:
    """Render the review with at most `limit` characters, the most important parts first."""
    blocks = [_Block(redact_secrets(block.text), block.keep, block.section) for block in _report(review)]
    full_text = _join(blocks)
    if len(full_text) <= limit:
        return full_text
    indexes: set[int] = set()
    used = len(_CUT) + 1
    sections: set[_Section] = {_NO_SECTION}
    for index, block in sorted(enumerate(blocks), key=lambda pair: (pair[1].keep, pair[0])):
        around = 0 if block.section in sections else len(block.section.opening) + len(block.section.closing) + 2
        if used + len(block.text) + 1 + around <= limit:
            used += len(block.text) + 1 + around
            indexes.add(index)
            sections.add(block.section)
    return (_join(block for index, block in enumerate(blocks) if index in indexes) + _CUT)[:limit]


def _join(blocks: Iterable[_Block]) -> str:
    parts: list[str] = []
    for section, inside in groupby(blocks, key=lambda block: block.section):
        parts.extend((section.opening, *(block.text for block in inside), section.closing))
    return "\n".join(filter(None, parts)) + "\n"


def _report(review: ReviewReport) -> Iterator[_Block]:
    yield _Block(f"### {headline(review)}")
    if not review.is_empty:
        environments = ", ".join(f"`{name}`" for name in review.environments if name)
        yield _Block(
            f"\n{inline(describe_comparison(review))}{f'; environments: {environments}' if environments else ''}."
        )
    if review.touched:
        names = ", ".join(f"`{name}`" for name in review.touched if name)
        yield _Block(f"\n> This changes a protected environment: {names}.")
    for note in review.notes if not review.is_empty else ():
        yield _Block(f"\n> {inline(note)}")
    for problem in review.base_problems if not review.is_empty else ():
        yield _Block(f"> - {inline(str(problem))}", _OLDER)
    statements = [statement for _, group in review.group_statements() for statement in group]
    for statement in sorted(statements, key=lambda statement: -statement.risk):
        yield _Block(_statement(statement), _BY_RISK[statement.risk], _STATEMENTS)
    for effect in review.effects:
        yield from _access(effect, review)
    news = (*review.problems, *review.news)
    for finding in news:
        yield _Block(format_item(finding), _NEWS, _FINDINGS)
    yield from _components(review)
    older = [finding for finding in review.findings if finding not in news]
    if older and not review.is_empty:
        summary = f"{count_noun(len(older), 'finding')} of the base"
        yield _Block(fold(summary, [format_item(finding) for finding in older]), _OLDER)


def _statement(statement: Statement) -> str:
    """Render a statement as a row of the table."""
    risk = f"**{statement.risk.word}**" if statement.risk is Risk.HIGH else statement.risk.word
    environments = (
        f" (in {', '.join(f'`{name}`' for name in statement.environments)})" if statement.environments else ""
    )
    because = f" _({cell(statement.because)})_" if statement.because else ""
    place = f"`{statement.position.file}:{statement.position.line}`" if statement.position else ""
    return f"| {risk} | {statement.group.value} | {cell(statement.text)}{environments}.{because} | {cell(place)} |"


def _access(effect: Effect, review: ReviewReport) -> Iterator[_Block]:
    rows = [row for row in effect.access if row.changed]
    head = "| what | before | after | asked for by |\n| --- | --- | --- | --- |"
    for row in rows:
        section = _Section(
            f"\n#### Effective access of the integration user{describe_environments(effect, review, '`')}\n\n{head}"
        )
        yield _Block(_row(row), _ACCESS, section)
    if rows and len(effect.access) > len(rows):
        table = [head, *(_row(row) for row in effect.access)]
        yield _Block(fold(f"All {len(effect.access)} rights, unchanged ones too", table), _WHOLE)


def _row(row: Access) -> str:
    before, after = (", ".join(rights) or "nothing" for rights in (row.before, row.after))
    after = f"**{after}**" if row.changed else after
    reason = f"`{row.path}`" if row.path else ""
    place = f" `{row.position.file}:{row.position.line}`" if row.position else ""
    return f"| {cell(f'`{row.name}`')} | {before} | {after} | {cell(reason)}{cell(place)} |"


def _name(change: Change, effect: Effect) -> str:
    moved = describe_move(change, effect.plan.moves)
    return f"- `{SIGNS[change.action]}` `{change.address}`" + (f" {inline(f'({moved})')}" if moved else "")


def _components(review: ReviewReport) -> Iterator[_Block]:
    """List the changed components with their changes in a collapsed section."""
    effects = [effect for effect in review.effects if effect.changes]
    if not effects:
        return
    number = max(len(effect.changes) for effect in effects)
    summary = f"{count_noun(number, 'component')} and records that change"
    section = _Section(f"\n<details><summary>{summary}</summary>\n", "</details>")
    for effect in effects:
        environments = describe_environments(effect, review, "`")
        title = f"#### Changes{environments}\n\n" if environments else ""
        names = "\n".join(_name(change, effect) for change in effect.changes)
        more = f"\n\nValues as in `{effect.environments[0]}`." if len(effect.environments) > 1 else ""
        yield _Block(f"{title}{names}{more}\n", _ADDRESSES, section)
        for change in effect.changes:
            if change.action is not Action.DELETE:  # the base has its content
                yield _Block(diff_block(SIGNS[change.action], str(change.address), lines(change)), _DIFFS, section)
