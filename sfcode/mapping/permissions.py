"""The permissions of a permission set: their names in metadata, in templates and in Setup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.mapping.naming import NameSet
from sfcode.metadata.component import Address


class PermissionFlag(NamedTuple):
    """One flag of an object or field permission."""

    name: str
    """The attribute of `ObjectPermission`, which templates use."""
    label: str
    """The name in Setup."""


OBJECT_FLAGS = {
    "allowCreate": PermissionFlag("create", "Create"),
    "allowRead": PermissionFlag("read", "Read"),
    "allowEdit": PermissionFlag("edit", "Edit"),
    "allowDelete": PermissionFlag("delete", "Delete"),
    "viewAllRecords": PermissionFlag("view_all", "View All"),
    "modifyAllRecords": PermissionFlag("modify_all", "Modify All"),
    "viewAllFields": PermissionFlag("view_all_fields", "View All Fields"),
}
"""Flags by element of `objectPermissions`, in the order of Setup."""

FIELD_FLAGS = {"readable": PermissionFlag("readable", "Read"), "editable": PermissionFlag("editable", "Edit")}
"""Flags by element of `fieldPermissions`."""

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
"""Names of user permissions in Setup."""

POWERFUL_PERMISSIONS = frozenset(
    {
        "AssignPermissionSets",
        "AuthorApex",
        "CustomizeApplication",
        "ManageSharing",
        "ManageUsers",
        "ModifyAllData",
        "ModifyMetadata",
        "ViewAllData",
        "ViewAllUsers",
    }
)
"""User permissions that reach beyond the records of the mappings."""

API_ONLY_LICENSES = NameSet({"Salesforce Integration"})
"""User licenses that allow only the API."""

API_ONLY_PROFILES = NameSet({"Minimum Access - API Only Integrations", "Salesforce API Only System Integrations"})
"""Standard profiles that grant nothing but API access."""

GRANTED_BY_PROFILE = {
    "System Administrator": ("View All Data", "Modify All Data", "Customize Application"),
    "Standard User": ("Read", "Create", "Edit", "Delete of standard objects"),
    "Read Only": ("Read of standard objects",),
}
"""Rights that standard profiles grant, with their names in Setup."""

CUSTOMIZE_APPLICATION = ("CustomizeApplication", "ManageCustomPermissions", "ViewSetup")
"""Customize Application, with the permissions that it requires."""


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


def add_required(rights: ObjectPermission) -> ObjectPermission:
    """Add the permissions that Salesforce requires with others. Modify All does not imply Create."""
    delete = rights.delete or rights.modify_all
    edit = rights.edit or delete
    view_all = rights.view_all or rights.modify_all
    return replace(
        rights, read=rights.read or rights.create or edit or view_all, edit=edit, delete=delete, view_all=view_all
    )


@dataclass(frozen=True, slots=True)
class OtherRights:
    """The rights of a user in an org that are not from the permission sets of a project."""

    permission_sets: tuple[str, ...] = ()
    """Names of the permission sets that are assigned to the user."""
    groups: tuple[str, ...] = ()
    """Names of the permission set groups that are assigned to the user."""
    profile: str = ""
    profile_objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The object permissions of the profile, by object: elements of OBJECT_FLAGS."""
    profile_permissions: tuple[str, ...] = ()
    """Powerful user permissions that the profile grants."""

    @property
    def assigned(self) -> tuple[str, ...]:
        """The addresses of the user's assignments."""
        sets = [f"PermissionSet:{name}" for name in self.permission_sets]
        return (*sets, *(f"PermissionSetGroup:{name}" for name in self.groups))

    @property
    def granted_by_profile(self) -> tuple[str, ...]:
        """The rights that the profile grants, with their names in Setup."""
        objects = (
            f"{', '.join(OBJECT_FLAGS[element].label for element in elements)} on {name}"
            for name, elements in sorted(self.profile_objects.items())
        )
        return (*(USER_PERMISSIONS.get(name, name) for name in self.profile_permissions), *objects)

    def remove_accepted(self, accepted: Collection[str]) -> OtherRights:
        """Return the rights without the accepted ones, which are addresses such as `PermissionSet:People`."""
        addresses = set(map(Address.parse, accepted))
        remaining_rights = replace(
            self,
            permission_sets=tuple(
                name for name in self.permission_sets if Address("PermissionSet", name) not in addresses
            ),
            groups=tuple(name for name in self.groups if Address("PermissionSetGroup", name) not in addresses),
        )
        if Address("Profile", self.profile) in addresses:
            remaining_rights = replace(remaining_rights, profile_objects={}, profile_permissions=())
        return remaining_rights

    def __bool__(self) -> bool:
        return bool(self.assigned or self.granted_by_profile)
