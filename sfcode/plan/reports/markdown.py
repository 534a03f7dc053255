"""The plan as GitHub-flavored Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.plan.plan import Plan
from sfcode.plan.reports import ReportOptions
from sfcode.plan.reports.markdown_parts import escape, fold_diff
from sfcode.plan.reports.plan_items import RELAY_TITLE, Item, headline, items, relay_item

IMPORTANCE = "-~+."
"""Signs in the order in which their details are kept where there is no room for all."""


def render(plan: Plan, options: ReportOptions) -> str:  # noqa: ARG001
    """Render the plan without a length limit."""
    return markdown(plan)


def markdown(plan: Plan, *, limit: int | None = None) -> str:
    """
    Render the plan: a headline, the changes to the relay, a table of addresses, and each change folded.

    With a limit in characters, details are left out until the text fits: those of created components first, those of
    destroyed components last.
    """
    changes = items(plan)
    head = [*_head(plan), *_render_relay(plan, limit)]
    rows, details = [_row(item) for item in changes], [_details(item) for item in changes]
    if not changes:
        return _truncate(head, limit)
    table = ["", "| | address | |", "| --- | --- | --- |"]
    if limit is None:
        return "\n".join([*head, *table, *rows, *details])
    room = limit - len("\n".join([*head, *table])) - 2 * len(_render_omitted(len(rows), "changes"))
    kept_rows = _that_fit(rows, list(range(len(rows))), room)
    room -= sum(len(rows[index]) + 1 for index in kept_rows)
    by_importance = sorted(range(len(changes)), key=lambda index: IMPORTANCE.index(changes[index].sign))
    fitting_details = _that_fit(details, by_importance, room)
    text = [*head, *table, *(rows[index] for index in sorted(kept_rows))]
    if len(kept_rows) < len(rows):
        text.append(_render_omitted(len(rows) - len(kept_rows), "changes"))
    text.extend(details[index] for index in sorted(fitting_details))
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
    return f"\n{count} more {noun}: there is no room for them here; the saved plan has all of them."


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


def _render_relay(plan: Plan, limit: int | None) -> Iterator[str]:
    """Render what changes in the relay; without details where they would take more than half of the room."""
    item = relay_item(plan)
    if item is None:
        return
    yield ""
    yield f"**{RELAY_TITLE}:** it {escape('; '.join([item.words, *item.notes]))}."
    details = _details(item)
    if limit is None or len(details) <= limit // 2:
        yield details


def _row(item: Item) -> str:
    # A code span keeps everything but its own end and the end of the cell.
    address = item.address.replace("`", "'").replace("|", "\\|")
    return f"| `{item.sign}` | `{address}` | {escape('; '.join([item.words, *item.notes]))} |"


def _details(item: Item) -> str:
    return fold_diff(item.sign, item.address, item.lines)
