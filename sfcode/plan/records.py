"""Read records in the form of the config: users, their assignments and campaigns; and check their references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from sfcode.config.project import Project
from sfcode.errors import OrgError
from sfcode.mapping.naming import is_same_name
from sfcode.mapping.permissions import OtherRights
from sfcode.metadata.component import Address, Body, Component, make_assignment
from sfcode.org import Org
from sfcode.org.parallel import CONCURRENCY, run_parallel
from sfcode.org.profiles import find_profile, profile_names
from sfcode.org.user_rights import find_assignments, read_other_rights
from sfcode.plan.campaigns import list_missing_for_campaigns, read_business_record
from sfcode.plan.modes import Mode
from sfcode.plan.snapshot import MissingPart, SignIns
from sfcode.plan.state import Applied

ASSIGNED = {"PermissionSetLicenseAssign": "permission set license", "PermissionSetAssignment": "permission set"}
"""The assigned component, in words for messages, by type of assignment record."""

SIGN_IN_DAYS = 30
"""The number of days for which sign-ins are read; an org keeps its login history for six months."""


def _read_user(org: Org, username: str, desired_body: Body) -> list[Body]:
    """
    Read a user in the form of the config.

    Other spellings are no differences: usernames, e-mail addresses and profiles in another case, the name of a standard profile in
    the language of the signed-in user.
    """
    soql = "SELECT Username, LastName, Email, ProfileId, Profile.Name, IsActive FROM User WHERE Username = {}"
    bodies: list[Body] = []
    for row in org.query(soql, username):
        email, desired_email = str(row["Email"] or ""), str(desired_body.get("Email", ""))
        profile = (row["Profile"] or {}).get("Name")
        desired_profile = desired_body.get("Profile")
        if desired_profile and (
            is_same_name(profile, desired_profile)
            or is_same_name(profile_names(org).get(row["ProfileId"]), desired_profile)
        ):
            profile = desired_profile
        bodies.append(
            {
                "Username": username,
                "LastName": row["LastName"],
                "Email": desired_email if email.lower() == desired_email.lower() else row["Email"],
                "Profile": profile,
                "IsActive": row["IsActive"],
            }
        )
    return bodies


def read_records(org: Org, desired_bodies: Mapping[Address, Body]) -> dict[Address, Component]:
    """Read the records at some addresses; `desired_bodies` has the bodies of the config."""
    rows = run_parallel(
        [partial(_read_record, org, address, body) for address, body in desired_bodies.items()], CONCURRENCY
    )
    return {component.address: component for component in rows if component}


def _read_record(org: Org, address: Address, desired_body: Body) -> Component | None:
    """Read one record by its address; the body has the attributes that `generate` sets."""
    if address.is_business_record:
        bodies = read_business_record(org, address, desired_body)
    elif address.type == "User":
        bodies = _read_user(org, address.full_name, desired_body)
    else:
        assignment = make_assignment(address.type, address.assigned.full_name, address.user.full_name)
        bodies = [assignment.body for _ in find_assignments(org, address)]
    return Component(address.type, address.full_name, bodies[0]) if bodies else None


def read_rights_of_users(
    org: Org, project: Project, applied: Applied, records: Mapping[Address, Component]
) -> dict[Address, OtherRights]:
    """Read the rights of existing integration users that are not from the project's permission sets."""
    own = {address.full_name for address in applied.components if address.type == "PermissionSet"}
    own.add(project.integration_set)
    users = sorted(address for address in records if address.type == "User")
    rights = {user: read_other_rights(org, user.full_name, own) for user in users}
    return {user: other_rights for user, other_rights in rights.items() if other_rights}


def read_sign_ins(org: Org, username: str) -> SignIns | None:
    """
    Read the sign-ins of a user; None if there were none.

    Only a user with Manage Users can read the history of others. Without it, only the time of the last sign-in is known.
    """
    users = org.query("SELECT Id, LastLoginDate FROM User WHERE Username = {}", username)
    if not users or not users[0]["LastLoginDate"]:
        return None
    soql = (
        f"SELECT Application, Status FROM LoginHistory WHERE UserId = {{}} AND LoginTime = LAST_N_DAYS:{SIGN_IN_DAYS}"  # noqa: S608
    )
    try:
        rows = org.query(soql, users[0]["Id"])
    except OrgError as error:
        if error.code != "INVALID_TYPE":
            raise
        rows = []
    applications = Counter(str(row["Application"]) for row in rows if row["Status"] == "Success")
    last = f"{str(users[0]['LastLoginDate']).partition('.')[0]}Z"
    return SignIns(last, SIGN_IN_DAYS, dict(sorted(applications.items())))


def find_missing_parts(
    org: Org, mode: Mode, expected: Mapping[Address, Body], observed_records: Mapping[Address, Component]
) -> dict[Address, tuple[MissingPart, ...]]:
    """
    Find missing references of the records that an apply or a rollback writes.

    Only records that are written are checked, since existing records have no missing references.
    """
    missing: dict[Address, tuple[MissingPart, ...]] = {}
    for address, body in sorted(expected.items()):
        if address.is_record and mode in {Mode.APPLY, Mode.ROLLBACK}:
            parts = tuple(_list_missing(org, address, body, observed_records.get(address), expected.keys()))
            missing |= {address: parts} if parts else {}
    return missing


def _list_missing(
    org: Org, address: Address, body: Body, component: Component | None, planned: Collection[Address]
) -> Iterator[MissingPart]:
    if address.is_business_record:
        if component is None:
            yield from list_missing_for_campaigns(org, address, body, planned)
    elif address.type == "User":
        profile = str(body["Profile"])
        if (component is None or component.body.get("Profile") != profile) and find_profile(org, profile) is None:
            yield MissingPart("profile", profile)
    elif component is None:
        name, username = address.full_name.rsplit("/", 1)
        kind = ASSIGNED[address.type]
        if Address("PermissionSet", name) not in planned and not _is_there(org, kind, name):
            yield MissingPart(kind, name)
        user = "SELECT Id FROM User WHERE Username = {}"
        if Address("User", username) not in planned and not org.query(user, username):
            yield MissingPart("user", username)


def _is_there(org: Org, kind: str, name: str) -> bool:
    if kind == "permission set license":
        return name.lower() in {license.lower() for license in org.traits.permission_set_licenses}
    return bool(org.query("SELECT Id FROM PermissionSet WHERE Name = {}", name))
