"""Rows that describe the org: objects with their org-wide defaults, and the caller's permissions."""

from __future__ import annotations

from sfcode.local.ids import derive_id
from sfcode.local.sobjects import sharing
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.setup_objects import OWN_PERMISSIONS, setup_objects
from sfcode.local.store import OrgTransaction, Record


def entity_definitions(tx: OrgTransaction) -> list[Record]:
    """List the objects that hold data."""
    catalog = Catalog(tx)
    rows: list[Record] = []
    for name in catalog.names():
        target = catalog.object(name)
        if target is None or name in setup_objects():
            continue
        rows.append(
            {
                "Id": derive_id("000", name, "EntityDefinition"),
                "DurableId": name,
                "QualifiedApiName": name,
                "DeveloperName": name.removesuffix("__c"),
                "Label": target.label,
                "PluralLabel": target.plural,
                "KeyPrefix": target.key_prefix,
                "NamespacePrefix": None,
                "InternalSharingModel": sharing.get_model(tx, target),
                "IsCustomizable": True,
                "IsQueryable": True,
            }
        )
    return rows


def own_permissions(access: UserAccess | None) -> list[Record]:
    """Return the row of UserPermissionAccess, the caller's user permissions."""
    if access is None:
        return []
    fields = setup_objects()[OWN_PERMISSIONS].fields.values()
    rights: Record = {
        field.name: access.has(field.name.removeprefix("Permissions")) for field in fields if field.type == "boolean"
    }
    return [{"Id": derive_id("000", access.user_id, OWN_PERMISSIONS), "LastCacheUpdate": None, **rights}]
