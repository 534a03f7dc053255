"""License checks: seats, and the permissions that a license allows."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Component

WITHOUT_OBJECTS = frozenset({"Salesforce Integration"})
"""User licenses that do not allow object permissions by themselves, but only with a permission set license."""

OPENS_OBJECTS = frozenset({"SalesforceAPIIntegrationPsl"})
"""Permission set licenses that allow object permissions to users with such a user license."""


NOT_ALLOWED = "The user license doesn't allow the permission: "


def find_refused_right(tx: OrgTransaction, permission_set: Component, user: Record) -> str | None:
    """Return the first permission of a permission set that the user's licenses do not allow: `Read Accounts`."""
    rows = Rows(tx)
    profile = rows.get("Profile", str(user["ProfileId"]))
    license = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    # A set that is bound to a permission set license includes that license:
    # https://help.salesforce.com/s/articleView?id=platform.perm_sets_select_license.htm&type=5
    license_names = _held_licenses(tx, rows, user) | {str(permission_set.body.get("license"))}
    if license is None or license["Name"] not in WITHOUT_OBJECTS or OPENS_OBJECTS & license_names:
        return None
    return find_object_right(tx, permission_set)


def find_object_right(tx: OrgTransaction, permission_set: Component) -> str | None:
    """Return the first object permission of a permission set: `Read Accounts`."""
    catalog = Catalog(tx)
    entries = permission_set.body.get("objectPermissions")
    for name, rights in sorted(entries.items()) if isinstance(entries, Mapping) else ():
        definition = catalog.object(name)
        for right, (_, verb, _) in OBJECT_RIGHTS.items():
            if isinstance(rights, Mapping) and rights.get(right):
                return f"{verb} {definition.plural if definition else name}"
    return None


def check_bound_license(tx: OrgTransaction, permission_set: Component, user: Record) -> None:
    """Check that a permission set is not bound to another user license than the user's. Raises ApiError."""
    bound_to = str(permission_set.body.get("license") or "")
    rows = Rows(tx)
    profile = rows.get("Profile", str(user["ProfileId"]))
    license = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    if (
        not bound_to
        or license is None
        or bound_to == license["Name"]
        or not tx.records.find("UserLicense", "Name", bound_to)
    ):
        return
    reason = f"It is for users with the license {bound_to}, and this one has {license['Name']}"
    raise _cannot_assign(permission_set, user, reason)


def check_rights(tx: OrgTransaction, permission_set: Component, user: Record) -> None:
    """Check that the user's licenses allow the permissions of a permission set. Raises ApiError."""
    right = find_refused_right(tx, permission_set, user)
    if right:
        raise _cannot_assign(permission_set, user, f"{NOT_ALLOWED}{right}")


def _cannot_assign(permission_set: Component, user: Record, reason: str) -> ApiError:
    """Return the error for a permission set that a user cannot have."""
    label = permission_set.body.get("label") or permission_set.full_name
    return make_error("permission_set_refused", label=label, user=user["Name"], why=reason)


def check_seat(tx: OrgTransaction, profile_id: str) -> None:
    """Check that the user license of a profile has a free seat. Raises ApiError."""
    rows = Rows(tx)
    profile = rows.get("Profile", profile_id)
    license = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    if license is not None and int(license["UsedLicenses"] or 0) >= int(license["TotalLicenses"] or 0):
        raise make_error("license_limit", field="ProfileId")


def _held_licenses(tx: OrgTransaction, rows: Rows, user: Record) -> set[str]:
    assignments = tx.records.find("PermissionSetLicenseAssign", "AssigneeId", user["Id"])
    license_rows = (rows.get("PermissionSetLicense", str(row["PermissionSetLicenseId"])) for row in assignments)
    return {str(row["DeveloperName"]) for row in license_rows if row}
