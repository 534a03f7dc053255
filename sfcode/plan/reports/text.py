"""The plan for a terminal, with Terraform's signs and last line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan
from sfcode.plan.reports import ReportOptions
from sfcode.plan.reports.plan_items import RELAY_NOTE, RELAY_TITLE, Item, headline, items, relay_item
from sfcode.text import Paint, plain, printable

LEGEND = {"+": "create", "~": "update in-place", "-": "destroy", ".": "no longer manage"}


def render(plan: Plan, options: ReportOptions) -> str:
    """Render the plan with terminal colors."""
    return text(plan, options.paint)


def text(plan: Plan, paint: Paint = plain) -> str:
    """Render the plan."""
    return "\n".join(_report(plan, paint))


def _report(plan: Plan, paint: Paint) -> Iterator[str]:
    org = printable(f"{plan.target.name} ({plan.target.org_id}, {plan.target.instance_url})")
    changes, relay = items(plan), relay_item(plan)
    if changes:
        yield from _render_legend(plan, org, changes, paint)
        for item in changes:
            yield ""
            yield from _item(item, paint)
        yield ""
    if relay:
        yield f"{RELAY_TITLE} ({RELAY_NOTE}):"
        yield ""
        yield from _item(replace(relay, notes=()), paint)
        yield ""
    notes = list(_render_notes(plan, paint))
    yield from [*notes, ""] if notes else []
    if changes or relay:
        yield headline(plan)
    elif plan.mode is Mode.REFRESH and not plan.changes:
        yield f"Nothing to compare: no apply of this project is known in {org}."
    elif plan.mode is Mode.REFRESH:
        yield f"No drift. {org} has not changed since the last apply."
    elif plan.refusals:
        yield f"No changes to make in {org}: the plan is refused."
    elif plan.mode is Mode.DESTROY:
        yield f"No changes. No managed components are left in {org}."
    elif plan.mode is Mode.ROLLBACK:
        yield f"No changes. In {org}, everything that this apply replaced is already restored."
    elif plan.records_state:
        yield f"No changes to make in {org}; apply will update {plan.state}."
    else:
        yield f"No changes. {org} matches the configuration."


def _render_notes(plan: Plan, paint: Paint) -> Iterator[str]:
    for line in plan.notes:
        yield printable(f"Note: {line}.")
    for warning in plan.warnings:
        yield paint(printable(f"Warning: {warning}"), "~")
    for refusal in plan.refusals:
        yield paint(printable(f"Refused: {refusal}"), "!")


def _render_legend(plan: Plan, org: str, changes: tuple[Item, ...], paint: Paint) -> Iterator[str]:
    if plan.mode is Mode.REFRESH:
        yield f"Note: objects have changed outside of sfcode, in {org}:"
        return
    yield f"sfcode will perform the following actions in {org}:"
    yield ""
    for sign in dict.fromkeys(item.sign for item in changes):
        yield f"  {paint(sign, sign)} {LEGEND[sign]}"


def _item(item: Item, paint: Paint) -> Iterator[str]:
    yield printable(f"  # {item.address} {item.words}")
    for note in item.notes:
        yield printable(f"  # ({note})")
    yield f'  {paint(item.sign, item.sign)} {item.type} "{printable(item.name)}" {{'
    for line in item.lines:
        yield f"      {'    ' * line.depth}{paint(line.sign, line.sign)} {line.text}"
    yield "    }"
