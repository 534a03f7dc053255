"""The ordered steps of a plan. Pure; each step is repeatable."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.limits import NAMES_PER_QUERY
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action, Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import ObsoleteVersions, Plan
from sfcode.plan.renames import order_renames
from sfcode.plan.snapshot import Move


@dataclass(frozen=True)
class WriteRecord:
    """Create, update or delete one record through REST."""

    change: Change


@dataclass(frozen=True)
class Rename:
    """Rename components and users in place, together with references to them. Repeatable."""

    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Deploy:
    """One package in one transaction; `owned` are the managed components afterwards."""

    components: tuple[Component, ...]
    deleted: tuple[Address, ...]
    owned: tuple[Component, ...]
    keeps_state: bool = False
    """Whether the state is kept although no components are managed, since records must still be written."""


@dataclass(frozen=True)
class Trial:
    """Validate all packages of a plan as one, before the first is deployed."""

    components: tuple[Component, ...]
    deleted: tuple[Address, ...]
    flows: tuple[Address, ...]
    """Flows that are deleted with all their versions."""
    obsolete: tuple[ObsoleteVersions, ...]


@dataclass(frozen=True)
class ActivateFlows:
    """Activate the deployed versions of flows, and delete old ones, for as many flows as fit into one query."""

    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class RemoveFlow:
    """Deactivate a flow and delete its versions, which destructive changes cannot do by name."""

    address: Address


@dataclass(frozen=True)
class DeleteVersions:
    """Delete old versions of a flow that stays."""

    versions: ObsoleteVersions


@dataclass(frozen=True)
class RecordIntent:
    """Record the planned records and renames in the state, so that an interrupted apply does not lose them."""


@dataclass(frozen=True)
class KeepState:
    """Write the state after a change of records only, so that it can be rolled back; `owned` as in a deployment."""

    owned: tuple[Component, ...]


@dataclass(frozen=True)
class DeleteState:
    """Delete the state after its last component."""


Step = (
    WriteRecord
    | Rename
    | Deploy
    | Trial
    | ActivateFlows
    | RemoveFlow
    | DeleteVersions
    | RecordIntent
    | KeepState
    | DeleteState
)


def steps(plan: Plan, *, drafts: bool = False) -> tuple[Step, ...]:
    """
    Return the ordered steps of a plan; with `drafts`, flows are deployed as drafts and activated afterwards.

    Renames in place come first, since all other steps use the new names. The user and its license come before the
    deployment, since an outbound message names the user; assignments come after it, since it contains the permission set.
    Removals are done in the reverse order. Campaigns come last, before their statuses, so that a failed deployment leaves
    none behind.

    All changes are one package, unless a flow or an old version of a flow is deleted: the versions still refer to other
    components that are deleted, so all deletions are then done by a second package. Several packages are validated
    together beforehand.
    """
    records = [change for change in plan.effective if change.address.is_record]
    deleted_sets = {change.address for change in plan.effective if _deletes_set(change)}
    metadata = [change for change in plan.effective if not change.address.is_record]
    business_changes = sorted(
        (change for change in records if change.address.is_business_record), key=_business_record_order
    )
    user_changes = [change for change in records if not change.address.is_business_record]
    early = [change for change in user_changes if not _is_late(change, deleted_sets)]
    late = [*(change for change in reversed(user_changes) if _is_late(change, deleted_sets)), *business_changes]
    renamed = order_renames(plan.moves)
    makes_user = any(change.address.type == "User" and change.action is Action.CREATE for change in early)
    deployments = _delete_left_state(plan, _deployments(plan, metadata, drafts=drafts))
    records_alone = (
        plan.mode is not Mode.DESTROY and records and not any(isinstance(step, Deploy) for step in deployments)
    )
    ends = late and any(isinstance(step, Deploy) and not step.owned for step in deployments)
    return (
        *_trial(plan, metadata, early, drafts=drafts),
        *([RecordIntent()] if renamed or makes_user else []),
        *([Rename(renamed)] if renamed else []),
        *(WriteRecord(change) for change in early),
        *(replace(step, keeps_state=True) if ends and isinstance(step, Deploy) else step for step in deployments),
        *(WriteRecord(change) for change in late),
        *([KeepState(plan.list_desired())] if records_alone else []),
        *([DeleteState()] if ends else []),
    )


def _delete_left_state(plan: Plan, deployments: Iterable[Step]) -> list[Step]:
    """Add the deletion of the state under the project's former name to the first deployment, which writes the new state."""
    states = [plan.left_state] if plan.left_state else []
    return [
        replace(step, deleted=(*step.deleted, states.pop())) if states and isinstance(step, Deploy) else step
        for step in deployments
    ]


def _trial(plan: Plan, metadata: Iterable[Change], early: Collection[Change], *, drafts: bool) -> Iterable[Step]:
    """Return the trial of several packages, without deletions of permission sets that are still assigned."""
    deleted = [change.address for change in metadata if change.action is Action.DELETE]
    flows = tuple(address for address in deleted if address.type == "Flow")
    unassigned = {
        change.address.assigned
        for change in early
        if change.address.type == "PermissionSetAssignment" and change.action is Action.DELETE
    }
    deleted_first = tuple(address for address in deleted if address.type != "Flow" and address not in unassigned)
    renames = any(move.in_place for move in plan.moves)
    components = tuple(change.after for change in metadata if change.after)
    records_first = early and plan.mode in {Mode.DESTROY, Mode.ROLLBACK}
    if flows or plan.obsolete or (renames and (deleted_first or components)) or (records_first and deleted_first):
        yield Trial(_as_drafts(components) if drafts else components, deleted_first, flows, plan.obsolete)


def _deletes_set(change: Change) -> bool:
    return change.address.type == "PermissionSet" and change.action is Action.DELETE


def _is_late(change: Change, deleted_sets: Collection[Address]) -> bool:
    """
    Return whether a record is written after the deployment: an assignment, or a user who is deactivated.

    An assignment is deleted before the deployment if its permission set is deleted, since an org does not delete an
    assigned permission set. Otherwise it is deleted afterwards, so that the previous user works until the new one can.
    """
    if change.address.type == "PermissionSetAssignment":
        return change.after is not None or change.address.assigned not in deleted_sets
    return change.after is None or change.after.body.get("IsActive") is False


def _business_record_order(change: Change) -> tuple[str, int]:
    """Return the sort key of business records: campaigns, then the statuses of each in their order."""
    later = change.after.body.get("Before") if change.after else None
    return (change.address.type, -len(later) if isinstance(later, list | tuple) else 0)


def _as_drafts(components: tuple[Component, ...]) -> tuple[Component, ...]:
    return tuple(
        replace(component, body={**component.body, "status": "Draft"}) if _is_active_flow(component) else component
        for component in components
    )


def _is_active_flow(component: Component) -> bool:
    return component.type == "Flow" and component.body.get("status") == "Active"


def _activate_flows(components: tuple[Component, ...]) -> Iterable[Step]:
    flows = tuple(component.address for component in components if _is_active_flow(component))
    for start in range(0, len(flows), NAMES_PER_QUERY):
        yield ActivateFlows(flows[start : start + NAMES_PER_QUERY])


def _deployments(plan: Plan, metadata: Iterable[Change], *, drafts: bool) -> Iterable[Step]:
    components = tuple(change.after for change in metadata if change.after)
    deployed = _as_drafts(components) if drafts else components
    deleted = [change for change in metadata if change.action is Action.DELETE]
    flows = [change.address for change in deleted if change.address.type == "Flow"]
    other_deletions = tuple(change.address for change in deleted if change.address.type != "Flow")
    owned = plan.list_desired()
    if not flows and not plan.obsolete:
        if components or other_deletions or plan.records_state:
            yield Deploy(deployed, other_deletions, owned)
        yield from _activate_flows(components)
        return
    if components:
        yield Deploy(deployed, (), (*owned, *(change.before for change in deleted if change.before)))
        yield from _activate_flows(components)
    for versions in plan.obsolete:
        yield DeleteVersions(versions)
    for address in flows:
        yield RemoveFlow(address)
    yield Deploy((), other_deletions, owned)
