"""Write records to their table: most are rows; a static resource is a component."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Component, Value

STATIC_RESOURCE = "StaticResource"
ELEMENTS = {
    "Body": "content",
    "CacheControl": "cacheControl",
    "ContentType": "contentType",
    "Description": "description",
}
"""Field of the record -> element of the component."""


def insert(tx: OrgTransaction, name: str, values: Record, *, user_id: str, now: datetime) -> str:
    """Insert a record and return its id."""
    if name != STATIC_RESOURCE:
        return tx.records.insert(name, values, user_id=user_id, now=now)
    component = Component(STATIC_RESOURCE, str(values["Name"]), _body({}, values))
    return tx.components.put(component, user_id=user_id, now=now).id


def update(tx: OrgTransaction, name: str, record_id: str, values: Record, *, user_id: str, now: datetime) -> None:
    """Update fields of a record."""
    stored = tx.components.get_by_id(record_id) if name == STATIC_RESOURCE else None
    if stored is None:
        tx.records.update(name, record_id, values, user_id=user_id, now=now)
        return
    old, new = stored.component.full_name, str(values.get("Name", stored.component.full_name))
    if new != old:
        tx.components.rename(STATIC_RESOURCE, old, new, user_id=user_id, now=now)
    body = _body(stored.component.body, values)
    tx.components.put(Component(STATIC_RESOURCE, new, body), user_id=user_id, now=now)


def delete(tx: OrgTransaction, name: str, record_id: str, *, user_id: str, now: datetime) -> None:
    """Delete a record; rows go to the recycle bin."""
    stored = tx.components.get_by_id(record_id) if name == STATIC_RESOURCE else None
    if stored is None:
        tx.records.recycle(name, record_id, user_id=user_id, now=now)
    else:
        tx.components.delete(STATIC_RESOURCE, stored.component.full_name)


def _body(before: Mapping[str, Value], values: Record) -> dict[str, Value]:
    given = {element: str(values[field] or "") for field, element in ELEMENTS.items() if field in values}
    return {name: value for name, value in {**before, **given}.items() if value != ""}
