"""Write records: users, license and permission set assignments, campaigns."""

from __future__ import annotations

import re
from typing import Any

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.metadata.component import Address, Body, Component
from sfcode.org import Org
from sfcode.org.profiles import find_profile
from sfcode.org.retry import repeat_once
from sfcode.org.user_rights import find_assignments
from sfcode.plan.campaigns import find_campaigns, read_business_record
from sfcode.plan.change import Action, Change
from sfcode.plan.state import Applied
from sfcode.plan.state_format import to_component

ON_CREATE = {
    "TimeZoneSidKey": "GMT",
    "LocaleSidKey": "en_US",
    "EmailEncodingKey": "UTF-8",
    "LanguageLocaleKey": "en_US",
}
"""Required fields of a new user that sfcode does not manage: set at creation, never compared."""

BY_NAME = {
    "User": "SELECT Id FROM User WHERE Username = {}",
    "PermissionSet": "SELECT Id FROM PermissionSet WHERE Name = {}",
    "PermissionSetLicense": "SELECT Id FROM PermissionSetLicense WHERE DeveloperName = {}",
}
"""The query that finds a record of an object by its name."""

ALREADY = {"DUPLICATE_VALUE", "DUPLICATE_USERNAME"}
"""Error codes for a record that exists already, for example from an interrupted apply."""


class RecordIds:
    """The IDs of records by object and name, so that an apply queries each at most once, and none that it created."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, sobject: str, name: str, record_id: str) -> None:
        """Remember the ID of a record."""
        self._ids[sobject, name] = record_id

    def find(self, sobject: str, name: str, *, noun: str) -> str:
        """Return the ID of the record of this name. Raises OrgError if there is none; `noun` describes it."""
        if (sobject, name) not in self._ids:
            rows = self._org.query(BY_NAME[sobject], name)
            if not rows:
                raise OrgError(f"this org has no {noun}, or the signed-in user cannot see it")
            self._ids[sobject, name] = str(rows[0]["Id"])
        return self._ids[sobject, name]


def write_record(org: Org, change: Change, ids: RecordIds | None = None) -> None:
    """Create, update or delete one record. Raises OrgError with the address and, if known, a hint."""
    ids = ids or RecordIds(org)
    try:
        try:
            _write(org, change, ids)
        except OrgUnreachable:
            # The response is lost, so the outcome is unknown. Each of these writes can be repeated.
            _write(org, change, ids, is_retry=True)
    except OrgError as error:
        hint = _hint(change.address, error) if isinstance(error, OrgUnreachable) or not error.hint else error.hint
        raise OrgError(f"{change.address}: {error.message}", hint, code=error.code) from error


def write_state(org: Org, address: Address, applied: Applied, *, first: bool = False) -> None:
    """Write the state through REST, if no deployment contains it; `first` is whether there was no state before."""
    columns = {
        "content": "Body",
        "cacheControl": "CacheControl",
        "contentType": "ContentType",
        "description": "Description",
    }
    values = {columns[name]: value for name, value in to_component(address, applied).body.items()}

    if first:
        try:
            org.create("StaticResource", {"Name": address.full_name, **values})
        except OrgUnreachable:
            pass  # it may have been created
        except OrgError as error:
            if "DUPLICATE" not in error.code:
                raise
        else:
            return

    def write() -> None:
        rows = org.query("SELECT Id FROM StaticResource WHERE Name = {}", address.full_name)
        if rows:
            org.update("StaticResource", str(rows[0]["Id"]), values)
        else:
            org.create("StaticResource", {"Name": address.full_name, **values})

    repeat_once(write)


def delete_state(org: Org, address: Address) -> None:
    """Delete the state through REST. Repeatable."""

    def delete() -> None:
        for row in org.query("SELECT Id FROM StaticResource WHERE Name = {}", address.full_name):
            org.delete("StaticResource", str(row["Id"]))

    repeat_once(delete)


def _write(org: Org, change: Change, ids: RecordIds, *, is_retry: bool = False) -> None:
    if change.address.is_business_record and change.after:
        _make_business_record(org, change.address, change.after.body)
    elif change.address.type == "User":
        _write_user(org, change, ids, is_retry=is_retry)
    elif change.action is Action.DELETE:
        _unassign(org, change.address)
    else:
        _assign(org, change.address, ids)


def _make_business_record(org: Org, address: Address, body: Body) -> None:
    """Create a campaign, or a status after the existing statuses of its campaign, if it does not exist. Repeatable."""
    if read_business_record(org, address, body):
        return
    if address.type == "Campaign":
        org.create("Campaign", {"Name": body["CampaignName"], "IsActive": True})
        return
    campaigns = find_campaigns(org, body)
    if len(campaigns) != 1:
        raise OrgError(f"{len(campaigns)} campaigns of this org have this name", "Set the ID of one in recipes.yaml.")
    rows = org.query("SELECT SortOrder FROM CampaignMemberStatus WHERE CampaignId = {}", campaigns[0])
    values = {
        "CampaignId": campaigns[0],
        "Label": body["Label"],
        "SortOrder": 1 + max((int(row["SortOrder"] or 0) for row in rows), default=0),
        "HasResponded": True,
        "IsDefault": False,
    }
    org.create("CampaignMemberStatus", values)


def _write_user(org: Org, change: Change, ids: RecordIds, *, is_retry: bool) -> None:
    if change.after is None:
        raise AssertionError("users are never deleted")
    values: dict[str, Any] = {key: value for key, value in change.after.body.items() if key != "Profile"}
    profile = str(change.after.body["Profile"])
    values["ProfileId"] = find_profile(org, profile)
    if values["ProfileId"] is None:
        raise OrgError(f"this org has no profile {profile!r}, or the signed-in user cannot see it")
    if change.action is Action.CREATE:
        if is_retry and org.query("SELECT Id FROM User WHERE Username = {}", change.address.full_name):
            return  # the plan did not find it, so the attempt whose response was lost created it
        user = org.create("User", values | ON_CREATE | {"Alias": _alias(change.after)})
        ids.add("User", change.address.full_name, user)
    else:
        username = change.address.full_name
        user = ids.find("User", username, noun=f"user {username!r}")
        # Only fields that differ: writing an unchanged e-mail address may start its verification again.
        changed = {attribute.path[0] for attribute in change.attributes}
        columns = {"ProfileId" if name == "Profile" else name for name in changed}
        org.update("User", user, {name: value for name, value in values.items() if name in columns})


def _alias(user: Component) -> str:
    letters = re.sub(r"[^a-z0-9]", "", str(user.body["LastName"]).lower())
    return (letters or "sfcode")[:8]


def _assign(org: Org, address: Address, ids: RecordIds) -> None:
    username, (sobject, name) = address.user.full_name, (address.assigned.type, address.assigned.full_name)
    assignee = ids.find("User", username, noun=f"user {username!r}")
    assigned = ids.find(sobject, name, noun=f"{address.type} {name!r}")
    try:
        org.create(address.type, {"AssigneeId": assignee, f"{sobject}Id": assigned})
    except OrgError as error:
        if error.code not in ALREADY and "Duplicate PermissionSetAssignment" not in error.message:
            raise


def _unassign(org: Org, address: Address) -> None:
    for record_id in find_assignments(org, address):
        org.delete(address.type, record_id)


def _hint(address: Address, error: OrgError) -> str:
    if isinstance(error, OrgUnreachable):
        return f"{error.hint} Then run `sfcode apply` again, which does the remaining steps.".lstrip()
    if error.code == "DUPLICATE_USERNAME":
        return "Usernames are unique over all of Salesforce: choose another integration_user.username."
    if error.code == "LICENSE_LIMIT_EXCEEDED":
        return "All seats of this license are taken: free one in Setup, Company Information."
    if "no profile" in error.message:
        return "Set integration_user.profile in config/sfcode.yaml to a profile of this org."
    if address.type == "PermissionSetLicenseAssign":
        return "Check integration_user.permission_set_license in config/sfcode.yaml and the seats left in the org."
    return ""
