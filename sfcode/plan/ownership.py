"""Components that existed before sfcode: adopt them, keep them unchanged, or replace them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sfcode.config.project import Project
from sfcode.mapping.desired import Desired
from sfcode.mapping.naming import MANAGED_SET
from sfcode.mapping.permissions import FIELD_FLAGS, OBJECT_FLAGS
from sfcode.metadata.component import Address, Body, Component, Value
from sfcode.metadata.normalize import normalize
from sfcode.plan.change import Change
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import OrgSnapshot, PlanInput

FLAGS = {
    "objectPermissions": {element: flag.label.lower() for element, flag in OBJECT_FLAGS.items()},
    "fieldPermissions": {element: flag.label.lower() for element, flag in FIELD_FLAGS.items()},
    "userPermissions": {"enabled": ""},
}
"""Names of the permissions of a permission set for people, by element."""

WORDS = ("label", "description")
"""The texts of a permission set for people, which do not depend on mappings."""

MANY = 4
"""The number of addresses that a sentence lists; further ones are counted."""

CUTOVER = (
    "the relay replaces Appcues' connector: create no webhook in Appcues before its integration is deactivated "
    "there, or Events are written twice; apply prints the steps in their order"
)

CONNECTOR = "AppcuesOn"
"""The prefix of the names of the message and rule of Appcues' own connector."""


def keep_as_is(project: Project, generated: Desired, snapshot: OrgSnapshot) -> Desired:
    """
    Set the desired value of the addresses in `as_is` to the observed one.

    The observed value is that of the last apply or, before the first apply, that of the org. A component
    that does not exist is created as generated. A permission set with a name from the config always keeps its label and
    description.
    """

    def keep(component: Component) -> Component:
        address = component.address
        observed = snapshot.components.get(address)
        before = snapshot.applied.components.get(address, observed.body if observed else None)
        if before is None or address not in {*adopted, configured_set}:
            return component
        if address in adopted:
            return Component(address.type, address.full_name, before)
        if str(before.get("description", "")).startswith(MANAGED_SET):
            return component
        words = {name: before[name] for name in WORDS if name in before}
        other_attributes = {name: value for name, value in component.body.items() if name not in WORDS}
        return Component(address.type, address.full_name, other_attributes | words)

    adopted = project.adopted
    configured_set = Address("PermissionSet", project.settings.integration_user.permission_set or "")
    return replace(generated, components=tuple(map(keep, generated.components)))


MADE_ONCE = frozenset({"Report"})
"""Types that people edit in Salesforce. After their creation, only a deletion or a changed config is a change."""


def ignore_edits(components: Mapping[Address, Component], applied: Mapping[Address, Body]) -> dict[Address, Component]:
    """Return the observed components, with the applied body for types that are created once and then not compared."""
    return {
        address: Component(address.type, component.full_name, applied[address])
        if address.type in MADE_ONCE and address in applied
        else component
        for address, component in components.items()
    }


def delete_replaced(plan_input: PlanInput) -> Iterator[Change]:
    """Delete the unmanaged components that the relay replaces."""
    for address in plan_input.project.replaced:
        observed = plan_input.snapshot.components.get(address)
        if observed and address not in plan_input.desired.by_address and address not in plan_input.applied:
            yield Change(address, observed, None, replaced=True)


def refuse_unmanaged(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse to change existing unmanaged components that are not adopted; those marked as managed get their own hint."""
    claims = sorted(plan_input.claimed - plan_input.adopted)
    plan = plan.refuse(*_refuse_claimed(plan_input, claims))
    projects = {address: state.project for state in plan_input.snapshot.other_states for address in state.shared}
    return plan.refuse(
        *(
            Refusal(
                change.address,
                f"exists in the org, and the project {projects[change.address]} manages it"
                if change.address in projects
                else "exists in the org, and sfcode did not create it",
                f"pass --adopt {change.address} to manage it, or choose another name in the config",
            )
            for change in plan.changes
            if change.before is not None
            and not (change.address.is_record or change.replaced)
            and change.address not in plan_input.applied
            and change.address not in {*plan_input.adopted, *claims}
        )
    )


def _refuse_claimed(plan_input: PlanInput, claims: Sequence[Address]) -> Iterator[Refusal]:
    project = plan_input.project.settings.name
    if plan_input.snapshot.state is None and len(claims) > 1:
        names = ", ".join(map(str, claims[:MANY])) + (f" and {len(claims) - MANY} more" if len(claims) > MANY else "")
        reason = (
            f"{names} are marked as managed by sfcode, and this org has no state of the project {project}: it was lost, or another "
            "project made them"
        )
        yield Refusal(None, reason, "pass --adopt-managed to manage them again, or choose other names in the config")
        return
    state = (
        f"this org has no state of the project {project}"
        if plan_input.snapshot.state is None
        else "the state does not list it"
    )
    for address in claims:
        hint = f"pass --adopt {address} to manage it again, or --adopt-managed for all components with that mark"
        yield Refusal(address, f"is marked as managed by sfcode, and {state}", hint)


def warn_of_lost_state(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn if a destroy finds no state, but an active integration user or its assignments, so that components may remain."""
    observed = plan_input.snapshot.components
    records = (observed[row.address] for row in plan_input.desired.records if row.address in observed)
    if plan_input.snapshot.state is not None or all(record.body.get("IsActive") is False for record in records):
        return plan
    return plan.warn(
        f"this org has no state of the project {plan_input.project.settings.name}: if it was applied here, the state was lost, "
        "and its components and the integration user remain; `sfcode apply --adopt-managed` manages them again"
    )


def refuse_unmanaged_user(plan_input: PlanInput, plan: Plan) -> Plan:
    """
    Refuse to change a user that sfcode did not create, since it may be a person's or another application's.

    A user may be activated without this refusal, since a destroy of the project leaves its user inactive in the org.
    """
    managed = plan_input.snapshot.applied.managed_users()
    return plan.refuse(
        *(
            Refusal(
                change.address,
                f"exists in the org with the profile {change.before.body.get('Profile')}, and sfcode did not create it",
                f"pass --adopt {change.address} to manage it, which replaces its name, e-mail address and profile; or "
                "set another user in integration_user.username",
            )
            for change in plan.changes
            if change.address.type == "User"
            and change.before
            and any(attribute.path != ("IsActive",) for attribute in change.attributes)
            and change.address not in managed
            and change.address not in plan_input.adopted
        )
    )


def explain_kept_permission_set(plan_input: PlanInput, plan: Plan) -> Plan:
    """Report the permissions that an adopted permission set lacks; refuse if the relay needs them."""
    address = Address("PermissionSet", plan_input.project.integration_set)
    if address not in plan_input.project.adopted:
        return plan
    generated, desired = (
        next((normalize(component).body for component in side.components if component.address == address), {})
        for side in (plan_input.generated, plan_input.desired)
    )
    lacking = tuple(_list_missing(generated, desired))
    if not lacking:
        return plan
    reason = f"is kept unchanged (as_is) and lacks {', '.join(lacking)}"
    hint = f"take {address} out of as_is; the plan then shows each right that is granted or revoked"
    if any(mapping.spec.delivery == "relay" for mapping in plan_input.project.mappings):
        return plan.refuse(Refusal(address, f"{reason}, which the relay needs", hint))
    access = plan_input.project.settings.integration_user.access
    return plan.warn(f"{address} {reason}, which access: {access} would give; to have it, {hint}")


def warn_of_cutover(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn of the connector's other messages and of the order of steps, if the relay replaces the connector."""
    plan = plan.warn(*_other_connector_messages(plan_input.project, plan_input.snapshot.messages))
    return plan.warn(CUTOVER) if any(change.replaced for change in plan.changes) else plan


def is_connectors(message: str, object_name: str) -> bool:
    """Return whether a message belongs to Appcues' own connector, by its full name."""
    return message.lower().startswith(f"{object_name}.{CONNECTOR}".lower())


def _other_connector_messages(project: Project, messages: Iterable[str]) -> Iterator[str]:
    if not project.replaced:
        return
    own_names = {address.full_name.lower() for address in project.replaced if address.type == "WorkflowOutboundMessage"}
    objects = {
        mapping.spec.object.lower(): mapping.name for mapping in project.mappings if mapping.spec.delivery == "relay"
    }
    for full_name in sorted(name for name in messages if name.lower() not in own_names):
        owner = full_name.partition(".")[0].lower()
        if owner in objects and is_connectors(full_name, owner):
            yield (
                f"WorkflowOutboundMessage:{full_name} is another message of Appcues' own connector, which creates new ones "
                "while its integration is active; deactivate it in Appcues Studio, and add the message with its rule to "
                f"`replaces` of mappings/{objects[owner]}.yaml"
            )


def _list_missing(desired: Mapping[str, Value], observed: Mapping[str, Value]) -> Iterator[str]:
    for element, flags in FLAGS.items():
        rows, observed_rows = _rows(desired.get(element)), _rows(observed.get(element))
        for name, row in rows.items():
            words = [
                word
                for flag, word in flags.items()
                if row.get(flag) is True and not observed_rows.get(name, {}).get(flag)
            ]
            if words:
                yield f"{name} ({', '.join(words)})" if any(words) else name


def _rows(value: Value) -> dict[str, Mapping[str, Value]]:
    rows = value.items() if isinstance(value, Mapping) else ()
    return {name: row for name, row in rows if isinstance(row, Mapping)}
