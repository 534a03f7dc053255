"""The components that use a field or an outbound message, and so prevent its deletion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sfcode.local import formula
from sfcode.local.formula import FormulaError
from sfcode.local.metadata import flows
from sfcode.local.metadata.names import Step, field_key, walk_path
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
"""For each type, its name in messages and the element that contains a formula over its object."""


def find_field_references(tx: OrgTransaction, catalog: Catalog, deleted: Iterable[Step]) -> dict[Step, list[str]]:
    """Return the components that use each field, as an org names them: `Workflow Rule - Contact.Name`."""
    users_by_field: dict[Step, list[str]] = {field: [] for field in deleted}
    by_key = {field_key(field): users for field, users in users_by_field.items()}
    for user, step in _uses(tx, catalog) if users_by_field else ():
        users = by_key.get(field_key(step))
        if users is not None and user not in users:
            users.append(user)
    return users_by_field


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


def find_message_references(tx: OrgTransaction) -> Mapping[str, list[str]]:
    """Return the rules and the flow versions that send each outbound message, by its full name in lower case."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for stored in tx.components.list_all("WorkflowRule"):
        body = stored.component.body
        triggers = body.get("workflowTimeTriggers")
        owner = stored.component.full_name.partition(".")[0]
        names = {name for part in (body, *(triggers if isinstance(triggers, list) else ())) for name in _messages(part)}
        for name in names:
            users[f"{owner}.{name}".lower()].append(f"Workflow Rule - {stored.component.full_name}")
    for version in tx.flows.versions():
        for message in {message.lower() for message in flows.sent_messages(version.body)}:
            users[message].append(f"Flow Version - {version.id}")
    return users


def _messages(holder: object) -> list[str]:
    actions = holder.get("actions") if isinstance(holder, Mapping) else None
    entries = actions.items() if isinstance(actions, Mapping) else ()
    return [name for name, entry in entries if isinstance(entry, Mapping) and entry.get("type") == "OutboundMessage"]
