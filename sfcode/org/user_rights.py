"""Read what is assigned to users, and the rights of a user that are not from the permission sets of a project."""

from __future__ import annotations

from collections.abc import Collection

from sfcode.errors import OrgError
from sfcode.mapping.permissions import POWERFUL_PERMISSIONS, OtherRights
from sfcode.metadata.component import Address
from sfcode.org.client import Org
from sfcode.org.parallel import run_both

_NAMES = {
    "PermissionSetAssignment": "PermissionSet.Name",
    "PermissionSetLicenseAssign": "PermissionSetLicense.DeveloperName",
}
"""The column with the name of what is assigned, by object."""

OBJECT_COLUMNS = {
    "PermissionsCreate": "allowCreate",
    "PermissionsRead": "allowRead",
    "PermissionsEdit": "allowEdit",
    "PermissionsDelete": "allowDelete",
    "PermissionsViewAllRecords": "viewAllRecords",
    "PermissionsModifyAllRecords": "modifyAllRecords",
}
"""Elements of a permission set, by column of ObjectPermissions."""


def find_assignments(org: Org, address: Address) -> list[str]:
    """Return the IDs of the records of an assignment; none if the user does not have it."""
    soql = f"SELECT Id FROM {address.type} WHERE {_NAMES[address.type]} = {{}} AND Assignee.Username = {{}}"  # noqa: S608
    return [str(row["Id"]) for row in org.query(soql, address.assigned.full_name, address.user.full_name)]


def list_assignees(org: Org, permission_set: str) -> list[str]:
    """Return the usernames with a permission set, sorted."""
    soql = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.Name = {}"
    return sorted(str(row["Assignee"]["Username"]) for row in org.query(soql, permission_set))


def read_other_rights(org: Org, username: str, own: Collection[str]) -> OtherRights:
    """
    Read the rights of a user, without the permission sets in `own`.

    Raises:
        OrgError: The signed-in user cannot read permission sets.

    """
    assigned = (
        "SELECT PermissionSet.Name, PermissionSetGroupId, PermissionSetGroup.DeveloperName FROM PermissionSetAssignment "
        "WHERE Assignee.Username = {} AND PermissionSet.IsOwnedByProfile = FALSE"
    )
    user = "SELECT ProfileId, Profile.Name FROM User WHERE Username = {}"
    rows, users = run_both(lambda: org.query(assigned, username), lambda: org.query(user, username))
    groups = {str(row["PermissionSetGroup"]["DeveloperName"]) for row in rows if row["PermissionSetGroupId"]}
    own_names = {name.lower() for name in own}
    sets = {str(row["PermissionSet"]["Name"]) for row in rows if not row["PermissionSetGroupId"]}
    sets = {name for name in sets if name.lower() not in own_names}
    rights = OtherRights(tuple(sorted(sets)), tuple(sorted(groups)))
    if not users:
        return rights
    profile_id, profile = str(users[0]["ProfileId"]), str((users[0]["Profile"] or {}).get("Name", ""))
    objects, permissions = run_both(lambda: _read_objects(org, profile_id), lambda: _read_permissions(org, profile_id))
    return OtherRights(rights.permission_sets, rights.groups, profile, objects, permissions)


def _read_objects(org: Org, profile_id: str) -> dict[str, tuple[str, ...]]:
    # Every profile has a permission set with its permissions.
    columns = ", ".join(OBJECT_COLUMNS)
    soql = f"SELECT SobjectType, {columns} FROM ObjectPermissions WHERE Parent.ProfileId = {{}}"  # noqa: S608
    return {
        str(row["SobjectType"]): granted
        for row in org.query(soql, profile_id)
        if (granted := tuple(element for column, element in OBJECT_COLUMNS.items() if row[column]))
    }


def _read_permissions(org: Org, profile_id: str) -> tuple[str, ...]:
    names = sorted(POWERFUL_PERMISSIONS)
    columns = ", ".join(f"Permissions{name}" for name in names)
    try:
        rows = org.query(f"SELECT {columns} FROM PermissionSet WHERE ProfileId = {{}}", profile_id)  # noqa: S608
    except OrgError as error:
        if error.code != "INVALID_FIELD":  # in an edition without the feature the column does not exist
            raise
        return ()
    return tuple(name for name in names if any(row[f"Permissions{name}"] for row in rows))
