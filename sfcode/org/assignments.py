"""Assignments of permission sets and of permission set licenses to users."""

from __future__ import annotations

from sfcode.metadata.component import Address
from sfcode.org.client import Org

_NAMES = {
    "PermissionSetAssignment": "PermissionSet.Name",
    "PermissionSetLicenseAssign": "PermissionSetLicense.DeveloperName",
}
"""The column with the name of what is assigned, by object."""


def find_assignments(org: Org, address: Address) -> list[str]:
    """Return the IDs of the records of an assignment; none if the user does not have it."""
    soql = f"SELECT Id FROM {address.type} WHERE {_NAMES[address.type]} = {{}} AND Assignee.Username = {{}}"  # noqa: S608
    return [str(row["Id"]) for row in org.query(soql, address.assigned.full_name, address.user.full_name)]


def list_assignees(org: Org, permission_set: str) -> list[str]:
    """Return the usernames with a permission set, sorted."""
    soql = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.Name = {}"
    return sorted(str(row["Assignee"]["Username"]) for row in org.query(soql, permission_set))
