"""The field permissions of a profile with full access, including the company's own fields."""

from __future__ import annotations

from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef
from sfcode.local.sobjects.setup_objects import setup_objects
from sfcode.local.store import OrgTransaction


def grant_all_fields(tx: OrgTransaction) -> dict[str, dict[str, bool]]:
    """Return field permissions for every field that has them: read, and edit if it is writable."""
    catalog = Catalog(tx)
    found: dict[str, dict[str, bool]] = {}
    for name in catalog.names():
        target = catalog.object(name) if name not in setup_objects() else None
        for field in target.fields.values() if target else ():
            if field.permissionable:
                # An address has one permission for all of its parts, and can be written where they can.
                whole = f"{name}.{field.compound or field.name}"
                before = found.get(whole, {"editable": False})
                found[whole] = {"editable": before["editable"] or writable(field), "readable": True}
    return dict(sorted(found.items()))


def writable(field: FieldDef) -> bool:
    """Return whether users can write a field."""
    return field.createable or field.updateable
