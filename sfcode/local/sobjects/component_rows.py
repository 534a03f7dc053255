"""Rows that are computed from components: permission sets and what they grant, static resources, flows, record types."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.sobjects.grants import parse_rights
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.setup_objects import setup_objects
from sfcode.local.store import OrgTransaction, Record, Scalar, Stored
from sfcode.metadata.archive import unzip
from sfcode.metadata.component import Component
from sfcode.metadata.package import read

STAMPS = {
    "Id": "id",
    "CreatedDate": "created_at",
    "CreatedById": "created_by",
    "LastModifiedDate": "modified_at",
    "LastModifiedById": "modified_by",
    "SystemModstamp": "modified_at",
}
"""Fields that every row of a component has, and the attributes of the stored component with their values."""


def component_row(target: str | ObjectDef, stored: Stored, **more: Scalar) -> Record:
    """Return the row of a component: fields that are read from the component, and those in `more`; other fields are null."""
    fields = (setup_objects()[target] if isinstance(target, str) else target).fields.values()
    return {field.name: _column(field, stored) for field in fields} | more


def _column(field: FieldDef, stored: Stored) -> Scalar:
    if field.name in STAMPS:
        stamp: str = getattr(stored, STAMPS[field.name])
        return stamp
    if not field.element:
        return None
    component = stored.component
    first, *path = field.element.split(".")
    if first.startswith("/"):
        parts = re.split(r"[./]", component.full_name)
        return {"/full": component.full_name, "/parent": parts[0], "/own": parts[-1]}[first]
    value: Any = component.body.get(first)
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if field.type == "boolean":
        return bool(value)
    if field.type == "double":
        return float(str(value or 0))
    return None if value is None else str(value)


def derive_permission_set_id(owner_id: str) -> str:
    """Return the ID of the permission set that a profile owns, or that represents a permission set group."""
    return ids.derive_id("0PS", owner_id)


def permission_set_rows(tx: OrgTransaction) -> list[Record]:
    """List the permission sets, with those of groups and profiles."""
    licenses = {str(row["Name"]): row["Id"] for row in tx.records.list_all("UserLicense")}
    licenses |= {str(row["DeveloperName"]): row["Id"] for row in tx.records.list_all("PermissionSetLicense")}
    rows = []
    for stored in tx.components.list_all("PermissionSet"):
        license_id = licenses.get(str(stored.component.body.get("license")))
        more = {"LicenseId": license_id, "IsCustom": True, "Type": "Regular", **_permission_columns(stored)}
        rows.append(component_row("PermissionSet", stored, **more))
    # The permissions from the members of a group are not emulated.
    rows += [
        {
            **dict.fromkeys(field.name for field in setup_objects()["PermissionSet"].fields.values()),
            "Id": derive_permission_set_id(str(group["Id"])),
            "Name": group["DeveloperName"],
            "Label": group["MasterLabel"],
            "PermissionSetGroupId": group["Id"],
            "IsCustom": True,
            "Type": "Group",
        }
        for group in tx.records.list_all("PermissionSetGroup")
    ]
    for stored in tx.components.list_all("Profile"):
        more = {
            "Id": derive_permission_set_id(stored.id),
            "Name": f"X{stored.id[:15]}",
            "Label": stored.id[:15],
            "Description": None,
            "LicenseId": licenses.get(str(stored.component.body.get("userLicense"))),
            "ProfileId": stored.id,
            "IsOwnedByProfile": True,
            "IsCustom": bool(stored.component.body.get("custom")),
            "Type": "Profile",
        }
        rows.append(component_row("PermissionSet", stored, **more, **_permission_columns(stored)))
    return rows


def _permission_columns(stored: Stored) -> Record:
    """Return the columns of the user permissions that a permission set or profile grants."""
    return {f"Permissions{name}": True for name in parse_rights(stored.component.canonical).user_permissions}


def _grants(tx: OrgTransaction, element: str, prefix: str) -> Iterator[tuple[Stored, str]]:
    """List the entries of one repeated element of all permission sets and profiles, each with the ID of its owner."""
    owners = [(stored, stored.id) for stored in tx.components.list_all("PermissionSet")]
    owners += [(stored, derive_permission_set_id(stored.id)) for stored in tx.components.list_all("Profile")]
    for stored, parent in owners:
        entries = stored.component.body.get(element)
        for key, rights in sorted(entries.items()) if isinstance(entries, Mapping) else ():
            entry = Component(stored.component.type, key, rights if isinstance(rights, Mapping) else {})
            yield dataclasses.replace(stored, component=entry, id=ids.derive_id(prefix, parent, key)), parent


def field_permission_rows(tx: OrgTransaction) -> list[Record]:
    """List the field permissions of all permission sets and profiles."""
    return [
        component_row(
            "FieldPermissions",
            grant,
            ParentId=parent,
            PermissionsRead=bool(grant.component.body.get("readable") or grant.component.body.get("editable")),
        )
        for grant, parent in _grants(tx, "fieldPermissions", "01k")
    ]


def object_permission_rows(tx: OrgTransaction) -> list[Record]:
    """List the object permissions of all permission sets and profiles."""
    return [
        component_row("ObjectPermissions", grant, ParentId=parent)
        for grant, parent in _grants(tx, "objectPermissions", "110")
    ]


def static_resource_rows(tx: OrgTransaction) -> list[Record]:
    """List the static resources."""
    return [
        component_row(
            "StaticResource",
            stored,
            BodyLength=len(str(stored.component.body.get("content") or "").rstrip("=")) * 3 // 4,
        )
        for stored in tx.components.list_all("StaticResource")
    ]


def record_type_rows(tx: OrgTransaction) -> list[Record]:
    """List the record types."""
    return [component_row("RecordType", stored) for stored in tx.components.list_all("RecordType")]


def report_rows(tx: OrgTransaction) -> list[Record]:
    """List the reports, each with the label of its folder."""
    return [
        component_row("Report", stored, FolderName=_folder_label(tx, stored.component.full_name.rpartition("/")[0]))
        for stored in tx.components.list_all("Report")
        if not stored.raw
    ]


def _folder_label(tx: OrgTransaction, folder: str) -> str:
    stored = tx.components.get("Report", folder)
    files = unzip(stored.raw) if stored and stored.raw else {}
    names = [component.body.get("name") for component in read(files)]
    return str(names[0]) if names else folder
