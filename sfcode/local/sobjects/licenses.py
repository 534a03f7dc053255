"""What a user's licences allow: seats, and the rights that a permission set may bring."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.local.errors import ApiError
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import Record, Transaction
from sfcode.metadata.component import Component

WITHOUT_OBJECTS = frozenset({"Salesforce Integration"})
"""User licences that allow no object rights by themselves: a permission set licence must bring them."""

OPENS_OBJECTS = frozenset({"SalesforceAPIIntegrationPsl"})
"""Permission set licences that bring them."""

RIGHTS = {
    "allowRead": "Read",
    "allowCreate": "Create",
    "allowEdit": "Edit",
    "allowDelete": "Delete",
    "viewAllRecords": "View All",
    "modifyAllRecords": "Modify All",
}


def refused_right(tx: Transaction, permission_set: Component, user: Record) -> str | None:
    """Name the first right of a permission set that the user's licences do not allow: `Read Accounts`."""
    rows = Rows(tx)
    profile = rows.get("Profile", str(user["ProfileId"]))
    licence = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    # A set that is bound to a permission set licence brings it along:
    # https://help.salesforce.com/s/articleView?id=platform.perm_sets_select_license.htm&type=5
    held = _held(tx, rows, user) | {str(permission_set.body.get("license"))}
    if licence is None or licence["Name"] not in WITHOUT_OBJECTS or OPENS_OBJECTS & held:
        return None
    return first_object_right(tx, permission_set)


def first_object_right(tx: Transaction, permission_set: Component) -> str | None:
    """Name the first right on an object that a permission set gives: `Read Accounts`."""
    catalog = Catalog(tx)
    entries = permission_set.body.get("objectPermissions")
    for name, rights in sorted(entries.items()) if isinstance(entries, Mapping) else ():
        found = catalog.object(name)
        for right, verb in RIGHTS.items():
            if isinstance(rights, Mapping) and rights.get(right):
                return f"{verb} {found.plural if found else name}"
    return None


def other_licence(tx: Transaction, permission_set: Component, user: Record) -> ApiError | None:
    """Refuse a permission set that is bound to another user licence than the user has."""
    bound_to = str(permission_set.body.get("license") or "")
    rows = Rows(tx)
    profile = rows.get("Profile", str(user["ProfileId"]))
    licence = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    if (
        not bound_to
        or licence is None
        or bound_to == licence["Name"]
        or not tx.records.find("UserLicense", "Name", bound_to)
    ):
        return None
    label = permission_set.body.get("label") or permission_set.full_name
    return ApiError(
        "FIELD_INTEGRITY_EXCEPTION",
        f'Can\'t assign permission set "{label}" to user "{user["Name"]}". '
        f"It is for users with the license {bound_to}, and this one has {licence['Name']}",
        ["PermissionSetId"],
    )


def cannot_assign(permission_set: Component, user: Record, right: str) -> ApiError:
    """Refuse a permission set that brings a right which the user's licences do not allow."""
    label = permission_set.body.get("label") or permission_set.full_name
    return ApiError(
        "FIELD_INTEGRITY_EXCEPTION",
        f'Can\'t assign permission set "{label}" to user "{user["Name"]}". '
        f"The user license doesn't allow the permission: {right}",
        ["PermissionSetId"],
    )


def seat_taken(tx: Transaction, profile_id: str) -> None:
    """Check that the user licence behind a profile has a seat for one more active user. Raises ApiError."""
    rows = Rows(tx)
    profile = rows.get("Profile", profile_id)
    licence = rows.get("UserLicense", str(profile["UserLicenseId"])) if profile else None
    if licence is not None and int(licence["UsedLicenses"] or 0) >= int(licence["TotalLicenses"] or 0):
        raise ApiError("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", ["ProfileId"])


def _held(tx: Transaction, rows: Rows, user: Record) -> set[str]:
    held = tx.records.find("PermissionSetLicenseAssign", "AssigneeId", user["Id"])
    found = (rows.get("PermissionSetLicense", str(row["PermissionSetLicenseId"])) for row in held)
    return {str(row["DeveloperName"]) for row in found if row}
