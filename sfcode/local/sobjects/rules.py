"""Rules of single objects beyond their fields, and computed values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects import licenses
from sfcode.local.sobjects.activities import prepare_event, prepare_task
from sfcode.local.sobjects.campaigns import add_statuses, check_status_unused, prepare_member, prepare_status
from sfcode.local.sobjects.component_rows import derive_permission_set_id
from sfcode.local.sobjects.model import PendingRecord
from sfcode.local.sobjects.rows import Rows
from sfcode.local.sobjects.values import EMAIL, check_developer_name
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Component

TIME_ZONE = re.compile(r"GMT|UTC|[A-Z][A-Za-z]+(/[A-Za-z_+-]+[0-9]*){1,2}")
LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?(_[A-Z]+)?")


def prepare_person(save: PendingRecord) -> None:
    """Compute the full name from its parts."""
    parts = (save.after.get("FirstName"), save.after.get("LastName"))
    save.after["Name"] = " ".join(str(part) for part in parts if part)


def prepare_lead(save: PendingRecord) -> None:
    """Refuse changes of converted leads."""
    if save.before is not None and save.before.get("IsConverted"):
        raise make_error("converted_lead")
    prepare_person(save)


def prepare_user(save: PendingRecord) -> None:
    """Check a user's names, locale and license."""
    after, tx = save.after, save.tx
    prepare_person(save)
    if not EMAIL.fullmatch(str(after["Username"])):
        message = "Username must be in the form of an email address (for example, john@acme.com): Username"
        raise make_error("integrity", field="Username", message=message)
    _unique(save, "Username", "duplicate_username")
    if not after.get("CommunityNickname"):
        after["CommunityNickname"] = _free_nickname(tx, str(after["Username"]).partition("@")[0][:36])
    _unique(save, "CommunityNickname", "duplicate_nickname")
    for field, label, pattern in (("TimeZoneSidKey", "Time Zone", TIME_ZONE), ("LocaleSidKey", "Locale", LOCALE)):
        if not pattern.fullmatch(str(after[field])):
            raise make_error("bad_picklist", label=label, value=after[field], field=field)
    before = save.before or {}
    _rename_in_messages(save, str(before.get("Username") or ""), str(after["Username"]))
    moved = after.get("ProfileId") != before.get("ProfileId")
    if after.get("IsActive") and (moved or not before.get("IsActive")):
        licenses.check_seat(tx, str(after["ProfileId"]))


def _rename_in_messages(save: PendingRecord, old: str, new: str) -> None:
    """Rename a user in the outbound messages that refer to it, as an org does through the ID."""
    if not old or old == new:
        return
    for stored in save.tx.components.list_all("WorkflowOutboundMessage"):
        body = stored.component.body
        if str(body.get("integrationUser")).lower() == old.lower():
            message = Component("WorkflowOutboundMessage", stored.component.full_name, {**body, "integrationUser": new})
            save.tx.components.put(message, user_id=stored.modified_by, now=save.now)


def prepare_set_assignment(save: PendingRecord) -> None:
    """Check an assignment: once per user, and only if the user's licenses allow the permissions."""
    tx, after = save.tx, save.after
    assignee, group_id = str(after["AssigneeId"]), after.get("PermissionSetGroupId")
    set_id = after.get("PermissionSetId") or (derive_permission_set_id(str(group_id)) if group_id else None)
    if not set_id:
        raise make_error("required", names=["PermissionSetId"])
    after["PermissionSetId"] = set_id
    row = Rows(tx).get("PermissionSet", str(set_id))
    assigned = tx.records.find("PermissionSetAssignment", "AssigneeId", assignee)
    if row is None or row["IsOwnedByProfile"]:
        raise make_error("cross_reference_of", field="PermissionSetId")
    if any(assignment["PermissionSetId"] == set_id for assignment in assigned):
        raise make_error("duplicate_permission_set", assignee=assignee[:15], permission_set=str(set_id)[:15])
    stored = None if group_id else tx.components.get("PermissionSet", str(row["Name"]))
    owner = tx.records.get("User", assignee)
    if stored is not None and owner is not None:
        licenses.check_bound_license(tx, stored.component, owner)
        licenses.check_rights(tx, stored.component, owner)
    after["IsActive"] = True


def prepare_license_assignment(save: PendingRecord) -> None:
    """Check a license assignment: once per user, while seats are free."""
    assignments = save.tx.records.find("PermissionSetLicenseAssign", "AssigneeId", save.after["AssigneeId"])
    license_id = save.after["PermissionSetLicenseId"]
    if any(assignment["PermissionSetLicenseId"] == license_id for assignment in assignments):
        raise make_error("duplicate_license")
    row = Rows(save.tx).get("PermissionSetLicense", str(license_id))
    if row is not None and int(row["UsedLicenses"] or 0) >= int(row["TotalLicenses"] or 0):
        raise make_error("license_limit", field="PermissionSetLicenseId")


def prepare_static_resource(save: PendingRecord) -> None:
    """Check that the name is unique among all static resources."""
    name = str(save.after["Name"])
    problem = next(check_developer_name("Static Resource Name: The Static Resource Name", name, 80), None)
    if problem is not None:
        raise make_error("integrity", field="Name", message=problem)
    existing_resource = save.tx.components.get("StaticResource", name)
    if existing_resource is not None and existing_resource.id != save.after.get("Id"):
        raise ApiError("DUPLICATE_DEVELOPER_NAME", "The name of this static resource is in use already", ["Name"])
    if save.before is None and not save.after.get("Body"):
        raise make_error("required", names=["Body"])


def check_license_unused(tx: OrgTransaction, assignment: Record) -> None:
    """Refuse to remove a permission set license that an assigned permission set needs. Raises ApiError."""
    owner = tx.records.get("User", str(assignment["AssigneeId"]))
    if owner is None:
        return
    rows = Rows(tx)
    for set_assignment in tx.records.find("PermissionSetAssignment", "AssigneeId", owner["Id"]):
        row = rows.get("PermissionSet", str(set_assignment["PermissionSetId"]))
        stored = tx.components.get("PermissionSet", str(row["Name"])) if row else None
        if stored is not None:
            licenses.check_rights(tx, stored.component, owner)


def _unique(save: PendingRecord, field: str, error: str) -> None:
    if any(user["Id"] != save.after.get("Id") for user in save.tx.records.find("User", field, save.after[field])):
        raise make_error(error)


def _free_nickname(tx: OrgTransaction, wish: str) -> str:
    nickname, number = wish, 1
    while tx.records.find("User", "CommunityNickname", nickname):
        nickname, number = f"{wish}{number}", number + 1
    return nickname


BEFORE_SAVE: dict[str, Callable[[PendingRecord], None]] = {
    "CampaignMember": prepare_member,
    "CampaignMemberStatus": prepare_status,
    "Contact": prepare_person,
    "Event": prepare_event,
    "Lead": prepare_lead,
    "PermissionSetAssignment": prepare_set_assignment,
    "PermissionSetLicenseAssign": prepare_license_assignment,
    "StaticResource": prepare_static_resource,
    "Task": prepare_task,
    "User": prepare_user,
}

AFTER_CREATE: dict[str, Callable[[OrgTransaction, str, str, datetime], None]] = {"Campaign": add_statuses}

AFTER_DELETE: dict[str, Callable[[OrgTransaction, Record], None]] = {
    "CampaignMemberStatus": check_status_unused,
    "PermissionSetLicenseAssign": check_license_unused,
}
