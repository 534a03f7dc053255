"""The plan for a terminal, with Terraform's signs and last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan
from sfcode.plan.reports.tree import lines

Paint = Callable[[str, str], str]
"""Give a text the colour of a sign (`+`, `-`, `~`, `!`); or leave it as it is."""

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
WORDS = {Action.CREATE: "created", Action.UPDATE: "updated in-place", Action.DELETE: "destroyed"}
LEGEND = {"+": "create", "~": "update in-place", "-": "destroy"}


def plain(text: str, sign: str) -> str:  # noqa: ARG001
    """Leave the text as it is."""
    return text


def text(plan: Plan, paint: Paint = plain) -> str:
    """Write the plan."""
    return "\n".join(_report(plan, paint))


def summary(plan: Plan) -> str:
    """Write the last line: what the plan adds, changes and destroys."""
    add, change, destroy = (plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    return f"Plan: {add} to add, {change} to change, {destroy} to destroy."


def headline(plan: Plan) -> str:
    """Say in one line what the plan does, without the org."""
    if plan.effective:
        return summary(plan)
    return "No changes; apply will record what is managed." if plan.records_state else "No changes."


def _report(plan: Plan, paint: Paint) -> Iterator[str]:
    where = f"{plan.target.name} ({plan.target.org_id}, {plan.target.instance_url})"
    if plan.effective:
        yield f"sfcode will perform the following actions in {where}:"
        yield ""
        for sign in dict.fromkeys(SIGNS[change.action] for change in plan.effective):
            yield f"  {paint(sign, sign)} {LEGEND[sign]}"
        for change in plan.effective:
            yield ""
            yield from _change(change, paint)
        yield ""
    for warning in plan.warnings:
        yield paint(f"Warning: {warning}", "~")
    for refusal in plan.refusals:
        yield paint(f"Refused: {refusal}", "!")
    if plan.warnings or plan.refusals:
        yield ""
    if plan.effective:
        yield summary(plan)
    elif plan.records_state:
        yield f"No changes to make in {where}; apply will record in {plan.state} what is managed."
    else:
        yield f"No changes. {where} matches the configuration."


def _change(change: Change, paint: Paint) -> Iterator[str]:
    sign = SIGNS[change.action]
    yield f"  # {change.address} will be {WORDS[change.action]}"
    if change.action is Action.DELETE:
        yield "  # (because it is not in the configuration any more)"
    if change.adopted:
        yield "  # (adopted: it was there before sfcode)"
    yield f'  {paint(sign, sign)} {change.address.type} "{change.address.full_name}" {{'
    for line in lines(change):
        yield f"      {'    ' * line.depth}{paint(line.sign, line.sign)} {line.text}"
    yield "    }"
