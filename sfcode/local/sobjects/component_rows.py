"""Rows that are computed from components: permission sets and what they grant, static resources, record types."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.sobjects.grants import parse_rights
from sfcode.local.sobjects.setup_objects import setup_objects
from sfcode.local.store import OrgTransaction, Record, Stored
from sfcode.metadata.archive import unzip
from sfcode.metadata.package import read


def audit_columns(stored: Stored) -> Record:
    """Return when and by whom a component was created and last modified."""
    return {
        "CreatedDate": stored.created_at,
        "CreatedById": stored.created_by,
        "LastModifiedDate": stored.modified_at,
        "LastModifiedById": stored.modified_by,
        "SystemModstamp": stored.modified_at,
    }


def text_column(stored: Stored, element: str) -> str | None:
    """Return an element of a component's body as a text."""
    return to_text(stored.component.body.get(element))


def to_text(value: object) -> str | None:
    """Return a value as a text; None stays None."""
    return None if value is None else str(value)


def profile_permission_set_id(profile_id: str) -> str:
    """Return the id of the permission set that a profile owns."""
    return ids.derive_id("0PS", profile_id)


def group_permission_set_id(group_id: str) -> str:
    """Return the id of the permission set that stands for a permission set group."""
    return ids.derive_id("0PS", group_id)


def permission_set_rows(tx: OrgTransaction) -> list[Record]:
    """List the permission sets, with those of groups and profiles."""
    licenses = {str(row["Name"]): row["Id"] for row in tx.records.list_all("UserLicense")}
    licenses |= {str(row["DeveloperName"]): row["Id"] for row in tx.records.list_all("PermissionSetLicense")}
    common: Record = {"NamespacePrefix": None, "PermissionSetGroupId": None}
    own: list[Record] = [
        {
            "Id": stored.id,
            "Name": stored.component.full_name,
            "Label": text_column(stored, "label"),
            "Description": text_column(stored, "description"),
            "LicenseId": licenses.get(str(stored.component.body.get("license"))),
            "ProfileId": None,
            "IsOwnedByProfile": False,
            "IsCustom": True,
            "HasActivationRequired": bool(stored.component.body.get("hasActivationRequired")),
            "Type": "Regular",
            **common,
            **_permission_columns(stored),
            **audit_columns(stored),
        }
        for stored in tx.components.list_all("PermissionSet")
    ]
    return [*own, *_sets_of_groups(tx)] + [
        {
            "Id": profile_permission_set_id(stored.id),
            "Name": f"X{stored.id[:15]}",
            "Label": stored.id[:15],
            "LicenseId": licenses.get(str(stored.component.body.get("userLicense"))),
            "ProfileId": stored.id,
            "IsOwnedByProfile": True,
            "IsCustom": bool(stored.component.body.get("custom")),
            "HasActivationRequired": False,
            "Type": "Profile",
            **common,
            **_permission_columns(stored),
            **audit_columns(stored),
        }
        for stored in tx.components.list_all("Profile")
    ]


def _sets_of_groups(tx: OrgTransaction) -> list[Record]:
    """List the permission sets that stand for a whole group; what the members grant is not known here."""
    return [
        {
            **dict.fromkeys((field.name for field in setup_objects()["PermissionSet"].fields.values()), None),
            **dict.fromkeys(_permission_names(), False),
            "Id": group_permission_set_id(str(group["Id"])),
            "Name": group["DeveloperName"],
            "Label": group["MasterLabel"],
            "PermissionSetGroupId": group["Id"],
            "IsOwnedByProfile": False,
            "IsCustom": True,
            "HasActivationRequired": False,
            "Type": "Group",
        }
        for group in tx.records.list_all("PermissionSetGroup")
    ]


def _permission_columns(stored: Stored) -> Record:
    """Return the columns of user permissions of a permission set or profile."""
    enabled = parse_rights(stored.component.canonical).user_permissions
    return {name: name.removeprefix("Permissions") in enabled for name in _permission_names()}


@functools.cache
def _permission_names() -> tuple[str, ...]:
    fields = setup_objects()["PermissionSet"].fields.values()
    return tuple(field.name for field in fields if field.name.startswith("Permissions"))


def _grants(tx: OrgTransaction, element: str) -> list[tuple[Stored, str, str, Mapping[str, Any]]]:
    """List the entries of one keyed element of all permission sets and profiles: parent, row, key, rights."""
    owners = [(stored, stored.id) for stored in tx.components.list_all("PermissionSet")]
    owners += [(stored, profile_permission_set_id(stored.id)) for stored in tx.components.list_all("Profile")]
    found: list[tuple[Stored, str, str, Mapping[str, Any]]] = []
    for stored, parent in owners:
        entries = stored.component.body.get(element)
        for key, rights in sorted(entries.items()) if isinstance(entries, Mapping) else ():
            found.append((stored, parent, key, rights if isinstance(rights, Mapping) else {}))
    return found


def field_permission_rows(tx: OrgTransaction) -> list[Record]:
    """List what permission sets and profiles grant on fields."""
    return [
        {
            "Id": ids.derive_id("01k", parent, field),
            "ParentId": parent,
            "SobjectType": field.partition(".")[0],
            "Field": field,
            "PermissionsRead": bool(rights.get("readable") or rights.get("editable")),
            "PermissionsEdit": bool(rights.get("editable")),
            "SystemModstamp": stored.modified_at,
        }
        for stored, parent, field, rights in _grants(tx, "fieldPermissions")
    ]


def object_permission_rows(tx: OrgTransaction) -> list[Record]:
    """List what permission sets and profiles grant on objects."""
    return [
        {
            "Id": ids.derive_id("110", parent, name),
            "ParentId": parent,
            "SobjectType": name,
            "PermissionsCreate": bool(rights.get("allowCreate")),
            "PermissionsRead": bool(rights.get("allowRead")),
            "PermissionsEdit": bool(rights.get("allowEdit")),
            "PermissionsDelete": bool(rights.get("allowDelete")),
            "PermissionsViewAllRecords": bool(rights.get("viewAllRecords")),
            "PermissionsModifyAllRecords": bool(rights.get("modifyAllRecords")),
            **audit_columns(stored),
        }
        for stored, parent, name, rights in _grants(tx, "objectPermissions")
    ]


def static_resource_rows(tx: OrgTransaction) -> list[Record]:
    """List the static resources."""
    return [
        {
            "Id": stored.id,
            "Name": stored.component.full_name,
            "NamespacePrefix": None,
            "ContentType": text_column(stored, "contentType"),
            "CacheControl": text_column(stored, "cacheControl"),
            "Description": text_column(stored, "description"),
            "Body": None,
            "BodyLength": len(str(stored.component.body.get("content") or "").rstrip("=")) * 3 // 4,
            **audit_columns(stored),
        }
        for stored in tx.components.list_all("StaticResource")
    ]


def record_type_rows(tx: OrgTransaction) -> list[Record]:
    """List the record types."""
    return [
        {
            "Id": stored.id,
            "Name": text_column(stored, "label"),
            "DeveloperName": stored.component.full_name.partition(".")[2],
            "NamespacePrefix": None,
            "Description": text_column(stored, "description"),
            "SobjectType": stored.component.full_name.partition(".")[0],
            "IsActive": bool(stored.component.body.get("active")),
            **audit_columns(stored),
        }
        for stored in tx.components.list_all("RecordType")
    ]


def report_rows(tx: OrgTransaction) -> list[Record]:
    """List the reports, each with the label of its folder."""
    return [
        {
            "Id": stored.id,
            "Name": text_column(stored, "name"),
            "DeveloperName": stored.component.full_name.rpartition("/")[2],
            "FolderName": _folder_label(tx, stored.component.full_name.rpartition("/")[0]),
            "NamespacePrefix": None,
            "Description": text_column(stored, "description"),
            "Format": text_column(stored, "format"),
            **audit_columns(stored),
        }
        for stored in tx.components.list_all("Report")
        if not stored.raw
    ]


def _folder_label(tx: OrgTransaction, folder: str) -> str:
    stored = tx.components.get("Report", folder)
    files = unzip(stored.raw) if stored and stored.raw else {}
    names = [component.body.get("name") for component in read(files)]
    return str(names[0]) if names else folder
