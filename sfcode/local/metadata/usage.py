"""The users of a field or an outbound message, which prevent its deletion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sfcode.local import formula
from sfcode.local.formula import FormulaError
from sfcode.local.metadata import flows
from sfcode.local.metadata.names import Step, same_field, walk_path
from sfcode.local.metadata.scopes import ObjectScope
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.store import OrgTransaction
from sfcode.metadata.component import Component

FORMULAS = {
    "CustomField": ("Custom Field", "formula"),
    "ValidationRule": ("Validation Rule", "errorConditionFormula"),
    "WorkflowFieldUpdate": ("Workflow Field Update", "formula"),
    "WorkflowRule": ("Workflow Rule", "formula"),
}
"""By type, what it is called and which of its elements is a formula over its object."""


def find_field_users(tx: OrgTransaction, catalog: Catalog, deleted: Iterable[Step]) -> dict[Step, list[str]]:
    """Return the users of each field: `Workflow Rule - Contact.Name`."""
    wanted = list(deleted)
    found: dict[Step, list[str]] = {field: [] for field in wanted}
    for user, step in _uses(tx, catalog) if wanted else ():
        for field in wanted:
            if same_field(field, step) and user not in found[field]:
                found[field].append(user)
    return found


def _uses(tx: OrgTransaction, catalog: Catalog) -> Iterator[tuple[str, Step]]:
    for type_, (label, element) in FORMULAS.items():
        for stored in tx.components.list_all(type_):
            user = f"{label} - {stored.component.full_name}"
            yield from ((user, step) for step in _in_formula(catalog, stored.component, element))
            yield from ((user, step) for step in _named_fields(stored.component))
    for stored in tx.components.list_all("WorkflowOutboundMessage"):
        user = f"Workflow Outbound Message - {stored.component.full_name}"
        yield from ((user, step) for step in _named_fields(stored.component))
    for version in tx.flows.versions():
        user = f"Flow Version - {version.id}"
        for owner, path in flows.used_paths(version.body):
            yield from ((user, step) for step, _ in walk_path(catalog, owner, path))


def _in_formula(catalog: Catalog, component: Component, element: str) -> Iterator[Step]:
    text = component.body.get(element)
    if not text:
        return
    owner = component.full_name.partition(".")[0]
    scope = ObjectScope.of_field(catalog, owner)
    try:
        used = list(formula.references(formula.parse(str(text))))
    except FormulaError:
        return
    for reference in used:
        yield from scope.steps(reference)


def _named_fields(component: Component) -> Iterator[Step]:
    owner = component.full_name.partition(".")[0]
    fields = component.body.get("fields")
    yield from ((owner, str(field)) for field in (fields if isinstance(fields, list) else ()))
    if component.type == "WorkflowFieldUpdate" and component.body.get("field"):
        yield owner, str(component.body["field"])
    criteria = component.body.get("criteriaItems")
    for item in criteria if isinstance(criteria, list) else ():
        if isinstance(item, Mapping):
            name, _, field = str(item.get("field")).partition(".")
            yield name, field


def find_message_users(tx: OrgTransaction, full_name: str) -> list[str]:
    """Find the rules and the flow versions that send an outbound message."""
    owner, _, name = full_name.partition(".")
    found = []
    for stored in tx.components.children("WorkflowRule", owner):
        body = stored.component.body
        triggers = body.get("workflowTimeTriggers")
        holders = [
            body,
            *(trigger for trigger in (triggers if isinstance(triggers, list) else ()) if isinstance(trigger, Mapping)),
        ]
        if any(_sends(holder, name) for holder in holders):
            found.append(f"Workflow Rule - {stored.component.full_name}")
    found += [
        f"Flow Version - {version.id}"
        for version in tx.flows.versions()
        if full_name.lower() in {message.lower() for message in flows.sent_messages(version.body)}
    ]
    return found


def _sends(holder: Mapping[str, object], name: str) -> bool:
    actions = holder.get("actions")
    entry = actions.get(name) if isinstance(actions, Mapping) else None
    return isinstance(entry, Mapping) and entry.get("type") == "OutboundMessage"
