"""What was in an org before sfcode: kept as it is, or replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from sfcode.config.project import Project
from sfcode.generate.desired import Desired
from sfcode.mapping.ownership import MANAGED_SET
from sfcode.metadata.component import Address, Component, Value
from sfcode.metadata.normalize import normal
from sfcode.plan.change import Change
from sfcode.plan.observed import Observed
from sfcode.plan.plan import Plan, Refusal

FLAGS = {
    "objectPermissions": {
        "allowRead": "read",
        "allowCreate": "create",
        "allowEdit": "edit",
        "allowDelete": "delete",
        "viewAllRecords": "view all",
        "modifyAllRecords": "modify all",
    },
    "fieldPermissions": {"readable": "read", "editable": "edit"},
    "userPermissions": {"enabled": ""},
}
"""What a permission set grants, element by element, in words."""

WORDS = ("label", "description")
"""What a permission set says for people, and no mapping determines."""

MOVE = (
    "the relay takes the place of Appcues' connector: create no webhook in Appcues before its integration is deactivated "
    "there, or Events are written twice; apply prints the steps in their order"
)

CONNECTOR = "AppcuesOn"
"""How the names begin that Appcues' own connector gives its message and rule."""


def as_is(project: Project, desired: Desired, observed: Observed) -> Desired:
    """
    Ask of what is taken on as it is just what it is.

    That is what the last apply left or, before the first one, what the org has. Where the org has nothing, it
    is made as the mappings ask for it. A permission set that the config names keeps its label and
    description in any case: nobody has said another one.
    """

    def kept(component: Component) -> Component:
        address = component.address
        there = observed.components.get(address)
        before = observed.applied.components.get(address, there.body if there else None)
        if before is None or address not in {*taken, named}:
            return component
        if address in taken:
            return Component(address.type, address.full_name, before)
        if str(before.get("description", "")).startswith(MANAGED_SET):
            return component
        said = {name: before[name] for name in WORDS if name in before}
        rest = {name: value for name, value in component.body.items() if name not in WORDS}
        return Component(address.type, address.full_name, rest | said)

    taken = project.adopted
    named = Address("PermissionSet", project.settings.integration_user.permission_set or "")
    return replace(desired, components=tuple(map(kept, desired.components)))


def going(project: Project, observed: Observed, wanted: Collection[Address]) -> Iterator[Change]:
    """List the deletions of what the relay takes the place of; what is ours goes or stays by itself."""
    for address in project.replaced:
        found = observed.components.get(address)
        if found and address not in wanted and address not in observed.applied.components:
            yield Change(address, found, None, replaced=True)


def judged(project: Project, plan: Plan, generated: Desired, asked: Desired) -> Plan:
    """Say what a permission set that is kept as it is lacks; refuse where the relay needs it. Warn of a move."""
    if any(change.replaced for change in plan.changes):
        plan = replace(plan, warnings=(*plan.warnings, MOVE))
    address = Address("PermissionSet", project.integration_set)
    bodies = [
        next((normal(each).body for each in side.components if each.address == address), {})
        for side in (generated, asked)
    ]
    lacking = tuple(_lacking(*bodies)) if address in project.adopted else ()
    if not lacking:
        return plan
    what = f"is kept as it is (as_is) and lacks {', '.join(lacking)}"
    hint = f"take {address} out of as_is; the plan then shows each right that comes or goes"
    if any(mapping.spec.delivery == "relay" for mapping in project.mappings):
        refusal = Refusal(address, f"{what}, which the relay is to have", hint)
        return replace(plan, refusals=(*plan.refusals, refusal))
    warning = (
        f"{address} {what}, which access: {project.settings.integration_user.access} would give; to have it, {hint}"
    )
    return replace(plan, warnings=(*plan.warnings, warning))


def is_connectors(message: str, object_name: str) -> bool:
    """Tell by its full name whether a message about an object is one of Appcues' own connector."""
    return message.startswith(f"{object_name}.{CONNECTOR}")


def still_there(project: Project, messages: Iterable[str]) -> Iterator[str]:
    """Warn of what Appcues' connector has in the org beside what the relay takes the place of."""
    named = {address.full_name for address in project.replaced if address.type == "WorkflowOutboundMessage"}
    objects = {mapping.spec.object: mapping.name for mapping in project.mappings if mapping.spec.delivery == "relay"}
    for full_name in sorted(set(messages) - named):
        owner = full_name.partition(".")[0]
        if owner in objects and is_connectors(full_name, owner):
            yield (
                f"WorkflowOutboundMessage:{full_name} is another message of Appcues' own connector, which makes new ones "
                "while its integration is active; deactivate it in Appcues Studio, and add the message with its rule to "
                f"`replaces` of mappings/{objects[owner]}.yaml"
            )


def _lacking(wanted: Mapping[str, Value], there: Mapping[str, Value]) -> Iterator[str]:
    for element, flags in FLAGS.items():
        rows, kept = _rows(wanted.get(element)), _rows(there.get(element))
        for name, row in rows.items():
            words = [word for flag, word in flags.items() if row.get(flag) is True and not kept.get(name, {}).get(flag)]
            if words:
                yield f"{name} ({', '.join(words)})" if any(words) else name


def _rows(value: Value) -> dict[str, Mapping[str, Value]]:
    rows = value.items() if isinstance(value, Mapping) else ()
    return {name: row for name, row in rows if isinstance(row, Mapping)}
