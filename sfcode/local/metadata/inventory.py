"""The components of an org as listMetadata shows them: names, files, authors and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.metadata.deploy.result import to_soap_time
from sfcode.local.metadata.registry import CONTAINER_OF_ALL, FILE_TYPES, container_of, parent_of
from sfcode.local.sobjects.setup_objects import SYSTEM_FIELDS
from sfcode.local.sobjects.standard import data_object_names, standard_objects
from sfcode.local.store import OrgTransaction, Stored
from sfcode.metadata.component import Component

SHOWN_AS_OBJECTS = frozenset(
    {"Account", "Activity", "Campaign", "CampaignMember", "Contact", "Event", "Lead", "Task", "User"}
)
"""Standard objects that listMetadata returns as CustomObject, even if nothing was deployed for them."""

_STANDARD = {"picklist": {"type": "Picklist"}, "reference": {"type": "Lookup"}}
"""The types of standard fields that an org returns with their type; for others it returns only the name."""


@dataclass(frozen=True)
class InventoryEntry:
    """One component of the org; `stored` is None for a standard component."""

    component: Component
    stored: Stored | None
    id: str = ""


def list_entries(tx: OrgTransaction, type_: str) -> Iterator[InventoryEntry]:
    """List the components of a type, sorted by name."""
    if type_ == "FlowDefinition":
        for stored in tx.components.list_all("Flow"):
            yield _definition(tx, stored)
        return
    entries = _containers(tx, type_) | {
        stored.component.full_name: InventoryEntry(stored.component, stored, stored.id)
        for stored in tx.components.list_all(type_)
    }
    if type_ == "CustomObject":
        for name in (*SHOWN_AS_OBJECTS, *data_object_names()):
            entries.setdefault(name, InventoryEntry(Component("CustomObject", name), None))
    elif type_ == "CustomField":
        entries = {component.full_name: InventoryEntry(component, None) for component in _standard_fields()} | entries
    yield from (entries[name] for name in sorted(entries))


@cache
def _standard_fields() -> tuple[Component, ...]:
    """List the standard fields of objects, named as an org names them."""
    objects = standard_objects()
    return tuple(
        Component("CustomField", f"{name}.{field.name}", _STANDARD.get(field.type, {}))
        for name in sorted(SHOWN_AS_OBJECTS & objects.keys())
        for field in objects[name].fields.values()
        if field.name not in SYSTEM_FIELDS and not field.compound
    )


def _definition(tx: OrgTransaction, stored: Stored) -> InventoryEntry:
    name = stored.component.full_name
    versions = tx.flows.versions(name)
    active = next((version.number for version in versions if version.status == "Active"), None)
    body = {} if active is None else {"activeVersionNumber": active}
    return InventoryEntry(Component("FlowDefinition", name, body), stored, versions[-1].definition_id)


def _containers(tx: OrgTransaction, type_: str) -> dict[str, InventoryEntry]:
    """Return the containers that exist because something is in them, such as workflows, by name."""
    kind = FILE_TYPES.get(type_)
    first: dict[str, Stored] = {}
    for child in kind.children if kind and (kind.elements or type_ == "Workflow") else ():
        for stored in tx.components.list_all(child):
            first.setdefault(container_of(child, stored.component.full_name), stored)
    return {name: InventoryEntry(Component(type_, name), stored) for name, stored in first.items()}


def list_children(tx: OrgTransaction, component: Component) -> list[Stored]:
    """List the components inside a container."""
    kind = FILE_TYPES.get(component.type)
    return [
        stored
        for child in (kind.children if kind else ())
        for stored in (
            tx.components.list_all(child)
            if child in CONTAINER_OF_ALL
            else tx.components.children(child, component.full_name)
        )
    ]


def file_name(component: Component) -> str:
    """Return the file of a component, relative to the package's root."""
    kind = FILE_TYPES[parent_of(component.type)]
    owner = container_of(component.type, component.full_name)
    return f"{kind.directory}/{owner}" + (f".{kind.suffix}" if kind.suffix else "")


def file_properties(tx: OrgTransaction, entry: InventoryEntry, file: str) -> Mapping[str, Any]:
    """Return the properties of a component as listMetadata and retrieve do, in the order of the WSDL."""
    stored = entry.stored
    created, modified = (stored.created_by, stored.modified_by) if stored else ("", "")
    epoch = "1970-01-01T00:00:00.000Z"
    return {
        "createdById": created,
        "createdByName": _user(tx, created),
        "createdDate": to_soap_time(stored.created_at) if stored else epoch,
        "fileName": file,
        "fullName": entry.component.full_name,
        "id": entry.id,
        "lastModifiedById": modified,
        "lastModifiedByName": _user(tx, modified),
        "lastModifiedDate": to_soap_time(stored.modified_at) if stored else epoch,
        "manageableState": "unmanaged",
        "type": entry.component.type,
    }


def _user(tx: OrgTransaction, user_id: str) -> str:
    user = tx.records.get("User", user_id) if user_id else None
    return str(user["Name"]) if user else ""
