"""The plan as GitHub-flavored Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfcode.metadata.component import Address
from sfcode.plan.plan import Plan
from sfcode.plan.reports import ReportOptions
from sfcode.plan.reports.markdown_parts import diff_block, escape, fold
from sfcode.plan.reports.plan_items import RELAY_TITLE, Item, headline, items, relay_item
from sfcode.plan.risk import Judgment, Risk
from sfcode.text import count_noun

IMPORTANCE = "-~+."
"""Signs in the order in which their details are kept if there is no room for all."""
PLAIN_TABLE = ("| | address | |", "| --- | --- | --- |")
Risks = Mapping[Address, Judgment]


def render(plan: Plan, options: ReportOptions) -> str:
    """Render the plan without a length limit."""
    return markdown(plan, options.judge(plan))


def markdown(plan: Plan, judged: Risks | None = None, *, limit: int | None = None) -> str:
    """
    Render the plan: a headline, the changes to the relay, a table of addresses by risk, and all details in a collapsed section.

    With a limit in characters, details are left out until the text fits: those of created components first, those of
    destroyed components last.
    """
    risks = {str(address): judgment for address, judgment in (judged or {}).items()}
    changes = sorted(items(plan), key=lambda item: -_risk(item, risks))
    relay = relay_item(plan)
    head = [*_head(plan), *_render_relay(relay)]
    title = f"Details of {count_noun(len(changes), 'change')}" if changes else "Details"
    blocks = [*((relay,) if relay else ()), *changes]
    rows, details = [_row(item, risks) for item in changes], [_details(item) for item in blocks]
    table = (
        ["", *(("| risk | | address | |", "| --- | --- | --- | --- |") if risks else PLAIN_TABLE)] if changes else []
    )
    if limit is None:
        return "\n".join([*head, *table, *rows, *([fold(title, details)] if details else [])])
    room = limit - len("\n".join([*head, *table])) - 2 * len(_render_omitted(len(rows), "changes"))
    kept_rows = _that_fit(rows, list(range(len(rows))), room)
    room -= sum(len(rows[index]) + 1 for index in kept_rows) + len(fold(title, [])) + 2
    by_importance = sorted(range(len(blocks)), key=lambda index: IMPORTANCE.index(blocks[index].sign))
    fitting_details = _that_fit(details, by_importance, room)
    text = [*head, *table, *(rows[index] for index in sorted(kept_rows))]
    if len(kept_rows) < len(rows):
        text.append(_render_omitted(len(rows) - len(kept_rows), "changes"))
    if fitting_details:
        text.append(fold(title, (details[index] for index in sorted(fitting_details))))
    if len(fitting_details) < len(details):
        text.append(_render_omitted(len(details) - len(fitting_details), "details"))
    return _truncate(text, limit)


def _that_fit(texts: list[str], order: list[int], room: int) -> set[int]:
    fitting_indexes: set[int] = set()
    for index in order:
        room -= len(texts[index]) + 1
        if room < 0:
            break
        fitting_indexes.add(index)
    return fitting_indexes


def _render_omitted(count: int, noun: str) -> str:
    return f"\n{count} more {noun}: omitted because of the length limit; the saved plan contains all of them."


def _truncate(text: list[str], limit: int | None) -> str:
    document = "\n".join(text)
    return document if limit is None else document[: max(0, limit)]


def _head(plan: Plan) -> Iterator[str]:
    yield f"### {headline(plan)}"
    yield ""
    target = plan.target
    yield f"Org **{escape(target.name)}** (`{target.org_id}`), environment `{plan.environment}`"
    for kind, texts in (("Warning", plan.warnings), ("Refused", [str(refusal) for refusal in plan.refusals])):
        for text in texts:
            yield ""
            yield f"> **{kind}:** {escape(text)}"
    if plan.notes:
        yield ""
        yield f"{escape('; '.join(plan.notes))}."


def _render_relay(item: Item | None) -> Iterator[str]:
    """Render the changes of the relay's config in one sentence."""
    if item is not None:
        yield ""
        yield f"**{RELAY_TITLE}:** it {escape('; '.join([item.words, *item.notes]))}."


def _risk(item: Item, risks: Mapping[str, Judgment]) -> Risk:
    return risks[item.address].risk if item.address in risks else Risk.LOW


def _row(item: Item, risks: Mapping[str, Judgment]) -> str:
    # Inside a code span only backticks and bars need escaping.
    address = item.address.replace("`", "'").replace("|", "\\|")
    judgment = risks.get(item.address)
    words = [item.words, *item.notes, *([judgment.because] if judgment and judgment.because else [])]
    risk = _risk(item, risks)
    label = f"**{risk.word}**" if risk is Risk.HIGH else risk.word
    return f"| {f'{label} | ' if risks else ''}`{item.sign}` | `{address}` | {escape('; '.join(words))} |"


def _details(item: Item) -> str:
    return diff_block(item.sign, item.address, item.lines)
