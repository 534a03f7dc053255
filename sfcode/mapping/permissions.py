"""The permissions of a permission set: their flags in metadata, their names in templates, their words in Setup."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple


class PermissionFlag(NamedTuple):
    """One flag of an object or field permission."""

    name: str
    """The attribute of `ObjectPermission`, which templates use."""
    label: str
    """What Setup calls it."""


OBJECT_FLAGS = {
    "allowCreate": PermissionFlag("create", "Create"),
    "allowRead": PermissionFlag("read", "Read"),
    "allowEdit": PermissionFlag("edit", "Edit"),
    "allowDelete": PermissionFlag("delete", "Delete"),
    "viewAllRecords": PermissionFlag("view_all", "View All"),
    "modifyAllRecords": PermissionFlag("modify_all", "Modify All"),
    "viewAllFields": PermissionFlag("view_all_fields", "View All Fields"),
}
"""By the element of `objectPermissions`, in the order in which Setup shows them."""

FIELD_FLAGS = {"readable": PermissionFlag("readable", "Read"), "editable": PermissionFlag("editable", "Edit")}
"""By the element of `fieldPermissions`."""

USER_PERMISSIONS = {
    "ActivitiesAccess": "Access Activities",
    "ApiEnabled": "API Enabled",
    "CustomizeApplication": "Customize Application",
    "EditEvent": "Edit Events",
    "EditTask": "Edit Tasks",
    "ManageCustomPermissions": "Manage Custom Permissions",
    "ModifyAllData": "Modify All Data",
    "ViewAllData": "View All Data",
    "ViewSetup": "View Setup and Configuration",
}
"""User permissions as Setup calls them."""

CUSTOMIZE_APPLICATION = ("CustomizeApplication", "ManageCustomPermissions", "ViewSetup")
"""Customize Application with the permissions without which Salesforce refuses it."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectPermission:
    """The permissions on one object: an entry of `permission_set.objects` in templates."""

    object: str
    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False


@dataclass(frozen=True, slots=True, order=True)
class FieldPermission:
    """The permissions on one field: an entry of `permission_set.fields` in templates."""

    field: str
    editable: bool


def add_required(asked: ObjectPermission) -> ObjectPermission:
    """Add the permissions that Salesforce demands beside others. Modify All does not bring Create with it."""
    delete = asked.delete or asked.modify_all
    edit = asked.edit or delete
    view_all = asked.view_all or asked.modify_all
    return replace(
        asked, read=asked.read or asked.create or edit or view_all, edit=edit, delete=delete, view_all=view_all
    )
