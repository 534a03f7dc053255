"""Read everything that a plan needs from an org, limited to the addresses of a project."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.generate.records import records
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address, Body, Component, make_assignment
from sfcode.metadata.objects import OrgSchema
from sfcode.metadata.package import read
from sfcode.metadata.types import member_type
from sfcode.org import Org
from sfcode.org.parallel import run_both
from sfcode.org.results import FileProperties
from sfcode.org.user_rights import list_assignees
from sfcode.plan.compare import find_apply
from sfcode.plan.flow_versions import count_flow_versions, read_flow_versions
from sfcode.plan.foreign import container_of, extract_components, unmanaged_fields
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.moves import apply_moves, find_moves, find_reversed_moves
from sfcode.plan.org_names import rename_policies_as_org, rename_user_as_org
from sfcode.plan.ownership import ignore_edits, keep_as_is
from sfcode.plan.previous_user import previous_users, user_records
from sfcode.plan.record_counts import count_selected, count_values
from sfcode.plan.records import find_missing_parts, read_records, read_rights_of_users, read_sign_ins
from sfcode.plan.references import claimed_components
from sfcode.plan.renames import Renames, follow_renames
from sfcode.plan.sandbox_names import (
    rename_user,
    rename_user_in_state,
    restore_email,
    users_named_in,
)
from sfcode.plan.schema import org_schema
from sfcode.plan.secrets import Mask, take_fingerprints
from sfcode.plan.snapshot import Move, OrgSnapshot, OtherState, PlanInput, Target
from sfcode.plan.state import STATE_SUFFIX, Applied, Past, state_address, state_identity
from sfcode.plan.state_format import from_component


def gather(project: Project, org: Org, secrets: Mapping[str, str], request: PlanRequest) -> PlanInput:
    """
    Read the input of a plan. Changes nothing in the org.

    Raises ConfigError when the config does not fit the org, OrgError when the org cannot be read, Refused when it
    is ambiguous which user or which apply is meant.
    """
    project = rename_user_as_org(project, org)
    (generated, snapshot), fingerprints = run_both(
        lambda: _read(project, org, secrets, request), lambda: take_fingerprints(secrets, org.identity.org_id)
    )
    return PlanInput(
        project=project,
        request=request,
        generated=generated,
        desired=keep_as_is(project, generated, snapshot),
        snapshot=snapshot,
        secrets=fingerprints,
    )


def _read(project: Project, org: Org, secrets: Mapping[str, str], request: PlanRequest) -> tuple[Desired, OrgSnapshot]:
    """Generate the values that a mode compares with, and read the org."""
    schema, warnings, generated = _generate(project, org, request.mode)
    snapshot, assigned = run_both(
        lambda: _read_org(project, org, secrets, request, generated),
        lambda: list_assignees(org, project.integration_set) if schema else [],
    )
    moves = _find_moves(project, request, generated, snapshot)
    if schema:
        managed = generated.by_address.keys() | snapshot.applied.components.keys()
        snapshot = replace(
            snapshot,
            warnings=warnings,
            unmanaged=snapshot.unmanaged | frozenset(unmanaged_fields(schema, managed)),
            assignees=tuple(_integration_users(org, project, moves, assigned)),
            # The connector that the relay replaces may have created a new one.
            messages=tuple(item.full_name for item in _list_messages(org)) if project.replaced else (),
            selected=count_selected(project, org),
        )
    return generated, apply_moves(snapshot, moves)


def _find_moves(project: Project, request: PlanRequest, generated: Desired, snapshot: OrgSnapshot) -> tuple[Move, ...]:
    if request.mode is Mode.APPLY:
        return find_moves(project, generated.by_address, snapshot)
    if request.mode is Mode.ROLLBACK:
        return find_reversed_moves(find_apply(snapshot.applied, request.apply_id), snapshot)
    return ()


def find_misfits(project: Project, org: Org) -> tuple[Diagnostic, ...]:
    """Return the problems of the config with the fields of the org. Raises OrgError if the org cannot be read."""
    schema, _ = org_schema(org, project)
    try:
        generate(project, schema)
    except ConfigError as error:
        return error.problems
    return ()


def read_target(org: Org) -> Target:
    """Return the identity of the org."""
    identity = org.identity
    return Target(identity.org_id, identity.name, identity.instance_url, identity.username)


def read_applied(org: Org, project: Project) -> Applied:
    """Read the applied state of a project. Raises OrgError when it cannot be read."""
    return from_component(find_state(org, project))


def find_state(org: Org, project: Project) -> Component | None:
    """Read the static resource with the state of a project, by its present or former identity."""
    addresses = [state_address(identity) for identity in project.identities]
    components, _ = _retrieve(org, addresses)
    return next((components[address] for address in addresses if address in components), None)


def list_states(org: Org) -> set[Address]:
    """Return the addresses of the states of all projects in an org. Raises OrgError when they cannot be read."""
    rows = org.query("SELECT Name FROM StaticResource WHERE Name LIKE '%{:like}'", STATE_SUFFIX)
    return {Address("StaticResource", str(row["Name"])) for row in rows}


def _generate(project: Project, org: Org, mode: Mode) -> tuple[OrgSchema | None, tuple[str, ...], Desired]:
    """Generate the desired values that a mode compares with: all, the records only, or none."""
    if mode is Mode.APPLY:
        schema, warnings = org_schema(org, project)
        return schema, warnings, rename_policies_as_org(org, generate(project, schema))
    if mode is Mode.ROLLBACK:
        return None, (), Desired((), (), ())
    rows, origins = records(project)
    return None, (), Desired((), rows, origins)


def _read_org(
    project: Project, org: Org, secrets: Mapping[str, str], request: PlanRequest, generated: Desired
) -> OrgSnapshot:
    """
    Read the generated addresses, those of the applied state, and the state itself.

    Addresses that are managed and no longer generated need a second retrieve.
    """
    username = project.settings.integration_user.username
    expected = _expected_bodies(project, request.mode, generated)
    observed = _read_expected(org, project, expected)
    metadata, record_rows = observed.components, observed.records
    state_component = next((state for state in observed.states if state), None)
    applied = _read_renames(org, from_component(state_component).share_bodies(expected))
    if org.identity.sandbox:
        applied = rename_user_in_state(applied, username)
    if request.mode is Mode.ROLLBACK:
        past = find_apply(applied, request.apply_id)
        expected = {address: body for address, body in past.before.items() if body is not None}
        record_rows |= _read_records_before(org, past, expected)
        other_addresses = {*applied.components, *expected, *past.moves}
    else:
        other_addresses = applied.components.keys() - expected.keys()
    unread = sorted(address for address in other_addresses - metadata.keys() if not address.is_record)
    more, unmanaged_too = _retrieve(org, unread)
    deleted = [component for address, component in more.items() if address not in expected]
    if request.mode in {Mode.APPLY, Mode.DESTROY}:
        record_rows |= _read_leaving_records(org, project, applied, expected)
    applied = replace(applied, records=_existing_records(applied, record_rows))
    mask = Mask(secrets, applied.secrets, org.identity.org_id, applied.org_id or "")
    leaving = _list_leaving_users(project, request.mode, record_rows)
    components = {
        address: generated.share(mask.mask(component, expected.get(address), applied.components.get(address)))
        for address, component in {
            **{address: _rename_user(component, username, org) for address, component in (metadata | more).items()},
            **record_rows,
        }.items()
    }
    return OrgSnapshot(
        read_target(org),
        ignore_edits(components, applied.components) | _assignments(org, deleted),
        applied,
        state=state_component,
        left_state=next((state.address for state in observed.states[1:] if state), None),
        other_states=_find_other_states(org, project, expected)
        if state_component is None or _has_claims(metadata, expected, applied)
        else (),
        values=count_values(org, deleted, applied),
        other_rights=read_rights_of_users(org, project, applied, record_rows),
        other_uses=_read_other_uses(org, project, applied, leaving),
        sign_ins={user: last for user in sorted(leaving) if (last := read_sign_ins(org, user.full_name))},
        flow_counts=count_flow_versions(org, expected, components),
        flow_versions=read_flow_versions(org, {*applied.components, *expected}, deleted),
        unmanaged=frozenset(observed.unmanaged | unmanaged_too) - set(expected) - set(applied.components),
        missing_parts=find_missing_parts(org, request.mode, expected, record_rows),
    )


@dataclass(frozen=True, slots=True)
class _Observed:
    """The results of the first requests to the org."""

    components: dict[Address, Component]
    records: dict[Address, Component]
    states: tuple[Component | None, ...]
    """The states under the identities of the project, the present one first; None for one that the org does not have."""
    unmanaged: set[Address]
    """The other components in files with an expected one."""


def _read_expected(org: Org, project: Project, expected: Mapping[Address, Body]) -> _Observed:
    """Read the expected addresses and the state, with one retrieve in parallel with the record queries."""
    states = [state_address(identity) for identity in project.identities]
    bodies = {address: body for address, body in expected.items() if address.is_record}
    requested = [*(address for address in expected if not address.is_record), *states]
    (components, unmanaged), rows = run_both(lambda: _retrieve(org, requested), lambda: read_records(org, bodies))
    if org.identity.sandbox:
        rows = {
            address: restore_email(row, bodies[address]) if address.type == "User" else row
            for address, row in rows.items()
        }
    return _Observed(components, rows, tuple(components.pop(address, None) for address in states), unmanaged)


def _expected_bodies(project: Project, mode: Mode, generated: Desired) -> dict[Address, Body]:
    """Return the generated bodies, and an empty one for each component that the relay replaces."""
    bodies = {address: component.body for address, component in generated.by_address.items()}
    if mode is Mode.APPLY:
        # Components that the relay replaces must be read as well; they are not managed.
        return {address: {} for address in project.replaced} | bodies
    return bodies


def _read_records_before(org: Org, past: Past, expected: Mapping[Address, Body]) -> dict[Address, Component]:
    """Read the records that a past apply changed or renamed, and the users to which its changed components refer."""
    users = {Address("User", name) for body in expected.values() for name in users_named_in(body)}
    changed = {address for address in past.before if address.is_record and not address.is_business_record}
    renamed = {address for address in past.moves if address.is_record}
    addresses = sorted(users | changed | renamed)
    return read_records(org, {address: past.before.get(address) or {} for address in addresses})


def _read_leaving_records(
    org: Org, project: Project, applied: Applied, expected: Mapping[Address, Body]
) -> dict[Address, Component]:
    """Read the managed records that the config no longer has, and those of previous integration users."""
    former_user = [project.settings.moved.user] if project.settings.moved.user else []
    names = {*previous_users(applied, project.settings.integration_user.username), *former_user}
    previous = {row for name in names for row in user_records(project, name)}
    addresses = sorted({*previous, *applied.records} - expected.keys())
    return read_records(org, {address: applied.records.get(address, {}) for address in addresses})


def _read_renames(org: Org, applied: Applied) -> Applied:
    """Read the renames of an interrupted apply, and return the state with the names in the org."""
    addresses = {address for pair in applied.renaming for address in pair}
    if not addresses:
        return applied
    components, _ = _retrieve(org, sorted(address for address in addresses if not address.is_record))
    users = read_records(org, {address: {} for address in addresses if address.is_record})
    return follow_renames(applied, {*components, *users})


def _rename_user(component: Component, username: str, org: Org) -> Component:
    return replace(component, body=rename_user(component.body, username, sandbox=org.identity.sandbox))


def _retrieve(org: Org, addresses: list[Address]) -> tuple[dict[Address, Component], set[Address]]:
    """Retrieve components, and list the other components in their workflow files."""
    if not addresses:
        return {}, set()
    members: dict[str, set[str]] = {}
    for address in addresses:
        members.setdefault(member_type(address.type), set()).add(address.full_name)
        container = container_of(address)
        # Object files are too large to retrieve only to count their components.
        if container and container.type == "Workflow":
            members.setdefault(container.type, set()).add(container.full_name)
    requests = set(addresses)
    files, file_addresses = extract_components(org.metadata.retrieve(members).files, requests)
    return {component.address: component for component in read(files) if component.address in requests}, file_addresses


def _has_claims(components: Mapping[Address, Component], expected: Mapping[Address, Body], applied: Applied) -> bool:
    """Return whether a desired component has the description of a managed one, but is not in the state."""
    unmanaged = (
        components[address] for address in expected if address in components and address not in applied.components
    )
    return any(claimed_components(unmanaged))


def _find_other_states(org: Org, project: Project, expected: Mapping[Address, Body]) -> tuple[OtherState, ...]:
    """Find states of other projects that have the same integration user, or that manage a desired component."""
    username = project.settings.integration_user.username
    own = set(map(state_address, project.identities))
    components, _ = _retrieve(org, sorted(list_states(org) - own))
    other_states = []
    for address, component in sorted(components.items()):
        applied = from_component(component)
        users = {name.lower(): name for body in applied.components.values() for name in users_named_in(body)}
        managed = sorted(key for key in applied.components if key in expected)
        shared = [*managed, *([Address("User", users[username.lower()])] if username.lower() in users else [])]
        if shared:
            identity = state_identity(address)
            other_states.append(OtherState(applied.project or identity, identity, tuple(shared)))
    return tuple(other_states)


def _existing_records(applied: Applied, observed_records: Mapping[Address, Component]) -> dict[Address, Body]:
    """Return the managed records that exist, without inactive users."""
    return {
        address: body
        for address, body in applied.records.items()
        if address in observed_records and observed_records[address].body.get("IsActive") is not False
    }


def _list_leaving_users(project: Project, mode: Mode, records: Mapping[Address, Component]) -> set[Address]:
    """List the active users that a plan may deactivate; an apply deactivates only a previous integration user."""
    users = {
        address
        for address, component in records.items()
        if address.type == "User" and component.body.get("IsActive") is True
    }
    if mode is Mode.APPLY:
        users.discard(Address("User", project.settings.integration_user.username))
    return set() if mode is Mode.REFRESH else users


def _read_other_uses(
    org: Org, project: Project, applied: Applied, leaving: Collection[Address]
) -> dict[Address, tuple[str, ...]]:
    """Find unmanaged outbound messages, and states of other projects, that refer to a user who may be deactivated."""
    if not leaving:
        return {}
    messages = [Address("WorkflowOutboundMessage", item.full_name) for item in _list_messages(org)]
    states = set(map(state_address, project.identities))
    addresses_of_others = list_states(org) - states
    addresses_of_others |= {address for address in messages if address not in applied.components}
    uses: dict[Address, set[str]] = {}
    for address, component in _retrieve(org, sorted(addresses_of_others))[0].items():
        bodies = [component.body]
        names: set[str] = set()
        if address.type == "StaticResource":
            state = from_component(component)
            bodies = [*state.components.values()]
            names = {record.full_name for record in state.records if record.type == "User"}
        for name in names.union(*map(users_named_in, bodies)):
            if (user := Address("User", name)) in leaving:
                uses.setdefault(user, set()).add(str(address))
    return {user: tuple(sorted(addresses)) for user, addresses in uses.items()}


def _integration_users(org: Org, project: Project, moves: tuple[Move, ...], assigned: list[str]) -> list[Address]:
    """List the users with the integration's permission set, by its former name in the org; `assigned` have the present one."""
    present = Address("PermissionSet", project.integration_set)
    former = Renames(moves).invert().rename_address(present)
    return [
        Address("User", name) for name in (assigned if former == present else list_assignees(org, former.full_name))
    ]


def _assignments(org: Org, deleted: list[Component]) -> dict[Address, Component]:
    """Read the assignments of permission sets that may be deleted, because an org deletes no assigned set."""
    assignments = [
        make_assignment("PermissionSetAssignment", component.full_name, username)
        for component in deleted
        if component.type == "PermissionSet"
        for username in list_assignees(org, component.full_name)
    ]
    return {assignment.address: assignment for assignment in assignments}


def _list_messages(org: Org) -> tuple[FileProperties, ...]:
    return org.metadata.list_metadata("WorkflowOutboundMessage")
