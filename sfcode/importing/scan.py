"""Read the parts of an org that concern an integration with Appcues. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from sfcode.errors import OrgError, Refused
from sfcode.importing.answers import ImportOptions
from sfcode.importing.classify import find_messages
from sfcode.importing.fields import read_fields, retrieve_components
from sfcode.importing.scan_result import INTEGRATION_LICENSE, CandidateUser, Message, PermissionSetGrants, ScanResult
from sfcode.mapping.fields import STANDARD_OBJECTS
from sfcode.mapping.naming import event_id_field
from sfcode.org import Org
from sfcode.plan.gather import list_states, read_target
from sfcode.plan.state import state_identity
from sfcode.plan.state_format import from_component

NO_RIGHTS = frozenset(
    {"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE", "API_DISABLED_FOR_ORG"}
)
_PEOPLE = (
    "SELECT Username, LastName, Email, Profile.Name, Profile.UserLicense.Name FROM User "
    "WHERE IsActive = TRUE AND (Profile.UserLicense.Name = {} OR Username IN {}) ORDER BY Username"
)
_LICENSES = (
    "SELECT Assignee.Username, PermissionSetLicense.DeveloperName FROM PermissionSetLicenseAssign "
    "WHERE Assignee.Username IN {}"
)
_SETS = (
    "SELECT Assignee.Username, PermissionSet.Name FROM PermissionSetAssignment "
    "WHERE PermissionSet.IsOwnedByProfile = FALSE AND Assignee.Username IN {}"
)


def scan_org(org: Org, options: ImportOptions) -> ScanResult:
    """
    Read everything that a proposal needs.

    Raises:
        Refused: sfcode already manages the org.
        OrgError: The signed-in user cannot read the org's setup.

    """
    target = read_target(org)
    try:
        return _scan(org, options)
    except OrgError as error:
        if error.code not in NO_RIGHTS:
            raise
        raise OrgError(
            f"{target.username} may not read the setup of {target.name}: {error.message}",
            "Sign in as a user with View Setup and Configuration, Customize Application and Modify Metadata Through "
            "Metadata API Functions, such as an administrator.",
            code=error.code,
        ) from error


def _scan(org: Org, options: ImportOptions) -> ScanResult:
    _refuse_managed(org, options.name)
    messages = _messages(org)
    people = _people(org, [*(message.user for message in messages), *([options.user] if options.user else [])])
    names = {name for person in people for name in person.sets}
    if options.permission_set:
        rows = org.query("SELECT Name FROM PermissionSet WHERE Name = {}", options.permission_set)
        names |= {str(row["Name"]) for row in rows}
    sets = {
        permission_set.full_name: PermissionSetGrants(permission_set.full_name, permission_set.body)
        for permission_set in retrieve_components(org, "PermissionSet", names)
    }
    objects = {
        *options.objects,
        *(message.object for message in messages),
        *(name for permission_set in sets.values() for name in permission_set.objects("allowRead") if _mappable(name)),
    } or set(STANDARD_OBJECTS)
    fields, formulas = read_fields(org, sorted(objects), messages, tuple(sets.values()))
    rows = org.query("SELECT Email FROM User WHERE Username = {}", org.identity.username)
    return ScanResult(
        read_target(org),
        email=str(rows[0]["Email"] or "") if rows else "",
        is_sandbox=org.identity.sandbox,
        messages=messages,
        people=people,
        sets=sets,
        fields=fields,
        formulas=formulas,
        events=_events(org),
        event_id=bool(org.metadata.read_metadata("CustomField", [f"Activity.{event_id_field(options.name)}"])),
    )


def _mappable(name: str) -> bool:
    return name in STANDARD_OBJECTS or name.endswith("__c")


def _refuse_managed(org: Org, name: str) -> None:
    """Raise Refused if the org has the state of a project with this name, whose config already exists."""
    states = retrieve_components(org, "StaticResource", (address.full_name for address in list_states(org)))
    states_by_identity = ((state_identity(state.address), from_component(state)) for state in states)
    namesakes = (state for identity, state in states_by_identity if (state.project or identity).lower() == name.lower())
    applied = next((state for state in namesakes if state.components), None)
    if applied is None:
        return
    origin = f", from commit {applied.revision}" if applied.revision else ""
    raise Refused(
        f"sfcode manages {org.identity.name} already as {name}: {applied.applied_by} applied it on "
        f"{applied.applied_at}{origin}.",
        "Use the config that was applied. To import something else as well, choose another --name.",
    )


def _messages(org: Org) -> tuple[Message, ...]:
    listed = org.metadata.list_metadata("WorkflowOutboundMessage")
    owners = {item.full_name.partition(".")[0] for item in listed if not item.namespace}
    workflows = retrieve_components(org, "Workflow", owners)
    messages = find_messages(workflows, ())
    if not messages:
        return ()
    flows = [item.full_name for item in org.metadata.list_metadata("Flow") if not item.namespace]
    return find_messages(workflows, retrieve_components(org, "Flow", flows))


def _people(org: Org, usernames: Iterable[str]) -> tuple[CandidateUser, ...]:
    # SOQL does not allow an empty list.
    rows = org.query(_PEOPLE, INTEGRATION_LICENSE, sorted({*usernames, ""}))
    names = [row["Username"] for row in rows]
    licenses = _by_user(org.query(_LICENSES, names) if names else [], "PermissionSetLicense", "DeveloperName")
    sets = _by_user(org.query(_SETS, names) if names else [], "PermissionSet", "Name")
    return tuple(_person(row, licenses, sets) for row in rows)


def _by_user(rows: Iterable[dict[str, Any]], relation: str, name: str) -> dict[str, list[str]]:
    names_by_user: dict[str, list[str]] = {}
    for row in rows:
        # An assignment of a permission set group has no permission set.
        if row[relation] and row["Assignee"]:
            names_by_user.setdefault(row["Assignee"]["Username"], []).append(row[relation][name])
    return names_by_user


def _person(row: dict[str, Any], licenses: Mapping[str, list[str]], sets: Mapping[str, list[str]]) -> CandidateUser:
    profile = row["Profile"] or {}
    username = row["Username"]
    return CandidateUser(
        username,
        row["LastName"] or "",
        row["Email"] or "",
        profile.get("Name", ""),
        (profile.get("UserLicense") or {}).get("Name", ""),
        tuple(sorted(licenses.get(username, ()))),
        tuple(sorted(sets.get(username, ()))),
    )


def _events(org: Org) -> int | None:
    with suppress(OrgError):
        return org.count("SELECT COUNT() FROM Event WHERE Subject LIKE 'Appcues %'")
    return None
