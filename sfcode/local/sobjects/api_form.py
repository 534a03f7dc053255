"""A stored value as the API shows it."""

from __future__ import annotations

from typing import Any

from sfcode.local.sobjects.model import FieldDef
from sfcode.local.store import Record

ADDRESS_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def shown(field: FieldDef, row: Record) -> Any:
    """Give a field's value as JSON: a checkbox is never null, an address is put together from its parts."""
    if field.type == "address":
        prefix = field.name.removesuffix("Address")
        parts = {part[0].lower() + part[1:]: row.get(prefix + part) for part in ADDRESS_PARTS}
        return parts if any(value is not None for value in parts.values()) else None
    value = row.get(field.name)
    return False if value is None and field.type == "boolean" else value


def attributes(base: str, object_name: str, row: Record) -> dict[str, str]:
    """Say what a row is, and where; `base` begins the addresses of records: `/services/data/v62.0`."""
    return {"type": object_name, "url": f"{base}/sobjects/{object_name}/{row.get('Id')}"}
