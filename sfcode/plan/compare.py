"""Desired, observed and applied become a plan: a pure three-way comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from sfcode.config.project import Project
from sfcode.errors import UsageError
from sfcode.generate.desired import Desired
from sfcode.metadata.component import Address, Component
from sfcode.metadata.normalize import normal
from sfcode.plan import ownership
from sfcode.plan.change import Action, Change
from sfcode.plan.foreign import container_of, preserved
from sfcode.plan.observed import Observed
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.previous_user import leaving
from sfcode.plan.secrets import applied_before, fingerprint
from sfcode.plan.state import Applied, state_address


def build(
    project: Project,
    desired: Desired,
    observed: Observed,
    *,
    secrets: Mapping[str, str],
    adopt: Collection[Address] = (),
    allow_delete: Collection[Address] = (),
    former: Collection[str] = (),
) -> Plan:
    """
    Compare what is asked for with what is there.

    An address is ours when the applied state says so. One that exists and is not ours is refused
    unless adopted; one that is ours and no longer asked for is deleted.
    """
    now = {name: fingerprint(value, observed.target.org_id) for name, value in sorted(secrets.items())}
    applied = applied_components(observed.applied, now, observed.target.org_id)
    wanted = {component.address: component for component in (*desired.components, *desired.records)}
    # Records are named by the config outright and are never deleted: users cannot be.
    gone = [address for address in applied if address not in wanted]
    changes = [
        Change(
            address,
            observed.components.get(address),
            component,
            applied.get(address),
            adopted=address in adopt and address in observed.components and address not in applied,
        )
        for address, component in wanted.items()
    ]
    changes += [
        Change(address, observed.components[address], None, applied[address])
        for address in gone
        if address in observed.components
    ]
    changes += ownership.going(project, observed, wanted)
    changes += unassigned(changes, observed)
    planned = {change.address for change in changes}
    changes += [change for change in leaving(project, observed, former) if change.address not in planned]
    changes.sort(key=lambda change: change.sort_key)
    refusals = (
        *_not_ours(changes, applied, adopt),
        *holding_data(changes, observed, allow_delete),
        *_named_in_vain(adopt, allow_delete, changes),
    )
    return Plan(
        target=observed.target,
        environment=project.environment,
        config_digest=project.digest,
        api_version=project.settings.salesforce.api_version,
        state=state_address(project.settings.name),
        changes=tuple(changes),
        fingerprints=observed.fingerprints(),
        refusals=refusals,
        warnings=(*project.warnings, *observed.warnings),
        secrets=now,
        records_state=_state_is_behind(desired, observed),
        preserved=preserved(doing(changes), observed.others),
    )


def limited(plan: Plan, applied: Applied, targets: Collection[Address]) -> Plan:
    """Limit a plan to some addresses; what else is ours stays as it is. Raises UsageError for a stranger."""
    planned = {change.address for change in plan.changes}
    if strangers := sorted(set(targets) - planned):
        listed = ", ".join(map(str, strangers))
        raise UsageError(
            f"--target names what is not in this plan: {listed}.", "Look at `sfcode plan` for its addresses."
        )
    count = len(set(targets))
    containers = {str(container_of(address)) for address in targets}
    warning = (
        f"limited to {count} address{'' if count == 1 else 'es'} by --target; the rest stays as it is, done or not"
    )
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.address in targets),
        refusals=tuple(refusal for refusal in plan.refusals if refusal.address in targets),
        warnings=(*plan.warnings, warning),
        kept=tuple(component for component in left_components(applied) if component.address not in targets),
        records_state=False,
        preserved=tuple(each for each in plan.preserved if each.container in containers),
    )


def left_components(applied: Applied) -> tuple[Component, ...]:
    """Read the last apply as components, sorted by address."""
    return tuple(
        Component(address.type, address.full_name, body) for address, body in sorted(applied.components.items())
    )


def applied_components(applied: Applied, now: Mapping[str, str], org_id: str) -> dict[Address, Component]:
    """Read the last apply as components; a secret that has another value now is marked as the previous one."""
    replaced = {name for name, left in applied.secrets.items() if now.get(name, left) != left}
    if applied.org_id not in {None, org_id}:
        replaced = set()  # fingerprints of two orgs say nothing about each other
    return {component.address: applied_before(component, replaced) for component in left_components(applied)}


def doing(changes: Iterable[Change]) -> list[Change]:
    """List the changes that do something."""
    return [change for change in changes if change.action is not Action.NO_OP]


def _not_ours(changes: list[Change], applied: Collection[Address], adopt: Collection[Address]) -> Iterator[Refusal]:
    for change in changes:
        address = change.address
        met = change.before is not None and not (address.is_record or change.replaced or address in applied)
        if met and address not in adopt:
            yield Refusal(
                address,
                "exists in the org, and sfcode did not put it there",
                f"say --adopt {address} to take it on, or choose another name in the config",
            )


def unassigned(changes: Iterable[Change], observed: Observed) -> list[Change]:
    """Take permission sets that go away from everybody who has them: an org deletes none that is assigned."""
    planned = {change.address: change for change in changes}
    going = {
        address.full_name
        for address, change in planned.items()
        if address.type == "PermissionSet" and change.action is Action.DELETE
    }
    return [
        Change(address, component, None)
        for address, component in observed.components.items()
        if address.type == "PermissionSetAssignment"
        and address not in planned
        and component.body["PermissionSet"] in going
    ]


def holding_data(changes: Iterable[Change], observed: Observed, allowed: Collection[Address]) -> Iterator[Refusal]:
    """Refuse to delete fields that records hold values in, unless that was allowed by name."""
    for change in changes:
        held = observed.values.get(change.address, 0)
        if change.action is not Action.DELETE or held == 0 or change.address in allowed:
            continue
        allow = f"say --allow-delete {change.address} to lose what it holds"
        if held is None:
            reason = f"would be deleted, and {observed.target.username} cannot see whether records hold a value in it"
            hint = f"assign yourself a permission set that shows it, as the viewers' does, and plan again, or {allow}"
        else:
            reason = f"would be deleted with the values that {held} record{'s hold' if held > 1 else ' holds'} in it"
            hint = f"keep it, or {allow}"
        yield Refusal(change.address, reason, hint)


def _named_in_vain(adopt: Collection[Address], allow: Collection[Address], changes: list[Change]) -> Iterator[Refusal]:
    planned = {change.address: change for change in changes}
    for address in sorted(adopt):
        if address not in planned:
            yield Refusal(address, "is not part of this project", "take --adopt away or correct the address")
    for address in sorted(allow):
        if address not in planned or planned[address].action is not Action.DELETE:
            yield Refusal(address, "is not deleted by this plan", "take --allow-delete away or correct the address")


def _state_is_behind(desired: Desired, observed: Observed) -> bool:
    """Tell whether the state would read differently after an apply, bodies compared as plans compare them."""
    left = left_components(observed.applied)
    return {normal(component) for component in left} != {normal(component) for component in desired.components}
