"""Compare desired, observed and applied values, for each mode of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sfcode.errors import Refused
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action, Change
from sfcode.plan.modes import Mode
from sfcode.plan.ownership import delete_replaced
from sfcode.plan.plan import Plan
from sfcode.plan.present_user import list_added_rights
from sfcode.plan.previous_user import deactivate, previous_users, retire
from sfcode.plan.secrets import unmark_previous
from sfcode.plan.snapshot import OrgSnapshot, PlanInput
from sfcode.plan.state import Applied, Past, state_address


def compare(plan_input: PlanInput) -> Plan:
    """Compare the values; the rules then complete the plan."""
    changes = [*CHANGES[plan_input.request.mode](plan_input)]
    changes += _unassign_deleted_sets(changes, plan_input.snapshot)
    return Plan(
        target=plan_input.snapshot.target,
        environment=plan_input.project.environment,
        config_digest=plan_input.project.digest,
        api_version=plan_input.project.settings.salesforce.api_version,
        state=_state_address(plan_input),
        changes=tuple(sorted(changes, key=lambda change: change.sort_key)),
        fingerprints=plan_input.snapshot.fingerprints(),
        secrets=plan_input.secrets,
        mode=plan_input.request.mode,
        released=plan_input.released,
        project=plan_input.project.settings.name,
        moves=tuple(move for move in plan_input.snapshot.moves if not move.done),
    )


def _state_address(plan_input: PlanInput) -> Address:
    """Return the address of the state. Only an apply moves the state to the present identity of the project."""
    state = plan_input.snapshot.state
    if plan_input.request.mode is Mode.APPLY or state is None:
        return state_address(plan_input.project.identity)
    return state.address


def find_apply(applied: Applied, apply_id: str | None) -> Past:
    """Find an apply by ID in the history; without an ID, the last one. Raises Refused with the existing IDs."""
    if not applied.history:
        raise Refused("This org has no apply that can be rolled back.")
    applies = {past.id: past for past in applied.history}
    if apply_id is None:
        return applied.history[0]
    if apply_id not in applies:
        raise Refused(f"The history of this org has no apply {apply_id}.", f"It has: {', '.join(applies)}.")
    return applies[apply_id]


def _apply(plan_input: PlanInput) -> Iterator[Change]:
    """
    Return the changes that make the org match the config.

    An address is managed if the applied state lists it. A managed address that is no longer desired is deleted, or
    released if a desired component still refers to it: then it remains unchanged and becomes unmanaged.
    Records are never deleted: Salesforce does not delete users, and campaigns have members.
    """
    observed, applied = plan_input.snapshot.components, plan_input.applied
    planned = set(plan_input.desired.by_address)
    former = _list_renamed(plan_input.snapshot)
    for address, component in plan_input.desired.by_address.items():
        adopted = address in plan_input.adopted and address in observed and address not in applied
        before = observed.get(address)
        yield Change(
            address,
            before,
            _spell_as(before, component),
            applied.get(address),
            adopted=adopted,
            moved_from=former.get(address),
        )
    for address, component in applied.items():
        if address not in planned and address in observed:
            after = observed[address] if address in plan_input.released else None
            yield Change(address, observed[address], after, component)
    yield from delete_replaced(plan_input)
    yield from _retire_and_unassign(plan_input)


def _retire_and_unassign(plan_input: PlanInput) -> Iterator[Change]:
    """Deactivate previous integration users, and remove assignments that an apply made and the config no longer asks for."""
    names = previous_users(plan_input.snapshot.applied, plan_input.project.settings.integration_user.username)
    changes = {change.address: change for change in retire(plan_input, names)}
    for address in sorted(plan_input.snapshot.applied.records):
        record = plan_input.snapshot.components.get(address)
        if record is not None and address.type != "User":
            changes.setdefault(address, Change(address, record, None))
    yield from (change for address, change in changes.items() if address not in plan_input.desired.by_address)


def _destroy(plan_input: PlanInput) -> Iterator[Change]:
    """
    Return the changes that delete all managed components and records.

    The integration user is deactivated, since users cannot be deleted.
    """
    observed, managed = plan_input.snapshot.components, plan_input.snapshot.applied.records
    for address, component in plan_input.applied.items():
        if address in observed:
            yield Change(address, observed[address], None, component)
    for row in plan_input.desired.records:
        record = observed.get(row.address)
        if record is not None and row.address in managed:
            yield Change(row.address, record, deactivate(record) if row.type == "User" else None)
    yield from _retire_and_unassign(plan_input)


def _roll_back(plan_input: PlanInput) -> Iterator[Change]:
    """
    Return the changes that restore the bodies that an apply replaced.

    A user that the apply created is deactivated. Secrets are restored with their present values.
    """
    past = find_apply(plan_input.snapshot.applied, plan_input.request.apply_id)
    former = _list_renamed(plan_input.snapshot)
    released = released_since(past, plan_input.snapshot)
    for address, body in past.before.items():
        if address.is_business_record:
            continue  # campaigns may have members by now
        if address in released:
            continue
        before = plan_input.snapshot.components.get(address)
        if body is None and before and address.type == "User":
            yield Change(address, before, deactivate(before))
            continue
        after = None if body is None else unmark_previous(Component(address.type, address.full_name, body))
        if before or after:
            yield Change(address, before, after, plan_input.applied.get(address), moved_from=former.get(address))


def released_since(past: Past, snapshot: OrgSnapshot) -> frozenset[Address]:
    """Return the addresses that an apply made managed and a later apply released. A rollback of the first ignores them."""
    return frozenset(
        address
        for address in past.before.keys() & snapshot.components.keys()
        if address not in past.owned and not snapshot.applied.manages(address) and not address.is_business_record
    )


def _list_renamed(snapshot: OrgSnapshot) -> dict[Address, Address]:
    """Return the former addresses of components and records that are renamed in place."""
    return {move.present: move.former for move in snapshot.moves if move.in_place and not move.done}


def _refresh(plan_input: PlanInput) -> Iterator[Change]:
    """
    Compare the applied state with the org.

    Records are compared only if the config is the one that was applied, and then with the config: the state may also list
    records that an interrupted apply only planned.
    """
    expected_components = [*plan_input.applied.values()]
    if plan_input.snapshot.applied.config_digest == plan_input.project.digest:
        expected_components += plan_input.desired.records
    for component in expected_components:
        observed_component = plan_input.snapshot.components.get(component.address)
        yield Change(component.address, observed_component, observed_component, component)
    if plan_input.snapshot.state:
        yield from list_added_rights(plan_input)


CHANGES = {Mode.APPLY: _apply, Mode.DESTROY: _destroy, Mode.ROLLBACK: _roll_back, Mode.REFRESH: _refresh}


def _unassign_deleted_sets(changes: Iterable[Change], snapshot: OrgSnapshot) -> list[Change]:
    """Remove the assignments of permission sets that are deleted, since an org does not delete an assigned one."""
    planned = {change.address: change for change in changes}
    deleted = {
        address
        for address, change in planned.items()
        if address.type == "PermissionSet" and change.action is Action.DELETE
    }
    return [
        Change(address, component, None)
        for address, component in snapshot.components.items()
        if address.type == "PermissionSetAssignment" and address not in planned and address.assigned in deleted
    ]


def _spell_as(before: Component | None, after: Component) -> Component:
    """Return a component with the spelling of its name in the org, so that a name in another case is updated in place."""
    if before is None or before.full_name == after.full_name:
        return after
    return Component(after.type, before.full_name, after.body)
