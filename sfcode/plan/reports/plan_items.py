"""The items of a plan that the text, Markdown and HTML reports show."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.lazy_dataclasses import dataclass
from sfcode.plan.change import Action, Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan
from sfcode.plan.previous_user import deactivated_users
from sfcode.plan.reports.diff_tree import Line, body_lines, drift_lines, lines
from sfcode.plan.snapshot import Move

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
WORDS = {
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated in-place",
    Action.DELETE: "will be destroyed",
}


RENAMED = {
    "CustomField": "its values",
    "CustomObject": "its fields and records",
    "PermissionSet": "its assignments",
    "User": "its license and its permission sets",
}
"""What is kept when a component or user is renamed in place, by type."""

MOVED_ON = "the config has another integration user"


@dataclass(frozen=True, slots=True)
class Item:
    """An address of a report: its sign, action, notes and lines."""

    sign: str
    type: str
    name: str
    words: str
    notes: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def address(self) -> str:
        """Type and full name."""
        return f"{self.type}:{self.name}"


def items(plan: Plan) -> tuple[Item, ...]:
    """List the changes of a plan; for a refresh, the drift."""
    if plan.mode is Mode.REFRESH:
        return tuple(_drifted_item(change) for change in plan.drifted)
    released = [change for change in plan.changes if change.address in plan.released and change not in plan.effective]
    return (
        *(_changed_item(change, _why_destroyed(plan, change), plan.moves) for change in plan.effective),
        *(_released_item(change) for change in released if change.after),
    )


RELAY_TITLE = "Changes to the relay"
RELAY_NOTE = "recorded by an apply, made by the relay when it loads this config"


def relay_item(plan: Plan) -> Item | None:
    """Return the change of the relay's config as an item; None without changes."""
    change = plan.relay
    if change is None or not change.settings:
        return None
    before, after = change.digests
    words = f"will use config {after} instead of {before}" if after else f"will have no mapping (config {before})"
    return Item("~", "Relay", "config", words, (RELAY_NOTE,), body_lines(change.before, change.after))


def _why_destroyed(plan: Plan, change: Change) -> str:
    if plan.mode is Mode.DESTROY:
        return "the integration is removed"
    if plan.mode is Mode.APPLY and change.address.is_record and change.address.user in deactivated_users(plan.changes):
        return MOVED_ON
    if change.address.type == "PermissionSetAssignment" and _is_set_destroyed(plan, change):
        return "its permission set is destroyed"
    if change.replaced:
        return "the relay replaces it"
    if moved := describe_move(change, plan.moves):
        return moved
    return (
        "it was created by the apply that is rolled back"
        if plan.mode is Mode.ROLLBACK
        else "it is no longer in the configuration"
    )


def _is_set_destroyed(plan: Plan, assignment: Change) -> bool:
    name = assignment.address.full_name.rpartition("/")[0]
    return any(
        _is_set(change) and change.action is Action.DELETE and change.address.full_name == name
        for change in plan.changes
    )


def describe_move(change: Change, moves: Iterable[Move]) -> str:
    """Return how a change relates to another name: renamed in place, created instead of it, or replaced; "" for no move."""
    if change.moved_from:
        return f"renamed from {change.moved_from.full_name}, and keeps {RENAMED[change.address.type]}"
    for move in moves:
        if move.present == change.address and change.action is Action.CREATE:
            return f"it replaces {move.former}"
        if move.former == change.address and change.action is Action.DELETE:
            return f"{move.present} replaces it"
    return ""


def _is_set(change: Change) -> bool:
    return change.address.type == "PermissionSet"


def headline(plan: Plan) -> str:
    """Describe the plan in one line, without the org."""
    if plan.mode is Mode.REFRESH:
        if not plan.drifted:
            return "No drift."
        deleted_count = sum(change.before is None for change in plan.drifted)
        added = sum(change.is_addition for change in plan.drifted)
        changed = len(plan.drifted) - deleted_count - added
        return f"Drift: {f'{added} added, ' if added else ''}{changed} changed, {deleted_count} deleted."
    relay = plan.relay.settings if plan.relay else ()
    if plan.effective or relay:
        add, change, destroy = (plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
        end = f" Relay: {len(relay)} to change." if relay else ""
        return f"Plan: {add} to add, {change} to change, {destroy} to destroy.{end}"
    if plan.refusals:
        return "No changes; the plan is refused."
    return "No changes; apply will update the state." if plan.records_state else "No changes."


def _changed_item(change: Change, why_destroyed: str, moves: Iterable[Move]) -> Item:
    notes = []
    moved = describe_move(change, moves)
    if change.action is Action.CREATE and moved:
        notes.append(moved)
    if change.action is Action.DELETE:
        notes.append(f"because {why_destroyed}")
    if change.address.type == "User" and change.before:
        notes += _about_user(change, why_destroyed)
    if change.adopted:
        notes.append("adopted: it existed before sfcode")
    if change.applied and change.before is None:
        notes.append("it was deleted in the org since the last apply")
    elif change.drift:
        notes.append("it was changed in the org since the last apply")
    address = change.address
    words = WORDS[change.action]
    if change.moved_from:
        words = f"will be {moved}"
    return Item(SIGNS[change.action], address.type, address.full_name, words, tuple(notes), lines(change))


def _released_item(change: Change) -> Item:
    address = change.address
    words, note = (
        "will no longer be managed, and remains unchanged",
        "the configuration refers to it, but does not create it",
    )
    return Item(".", address.type, address.full_name, words, (note,), ())


def _about_user(change: Change, why_deactivated: str) -> list[str]:
    """Return a note about an existing user."""
    moved = {attribute.path: attribute for attribute in change.attributes}
    notes = []
    if ("Profile",) in moved:
        notes.append(
            f"the user exists with the profile {moved['Profile',].before}: other applications that sign in "
            "as this user lose the rights of that profile; if the user is in use, set another user in integration_user.username"
        )
    if ("IsActive",) in moved and change.after:
        active = change.after.body.get("IsActive") is True
        notes.append(
            "the user is inactive and will be activated, which uses a license"
            if active
            else f"because {why_deactivated}"
        )
    return notes


def _drifted_item(change: Change) -> Item:
    sign, words = ("~", "has changed") if change.before else ("-", "has been deleted")
    if change.is_addition:
        sign, words = "+", "has been added"
    return Item(sign, change.address.type, change.address.full_name, words, (), drift_lines(change))
