"""Read users as the config writes them, and what their records refer to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sfcode.metadata.component import Address, Body, Component
from sfcode.org import Org
from sfcode.org.profiles import find_profile, profile_names
from sfcode.plan.snapshot import MissingPart

ASSIGNED = {"PermissionSetLicenseAssign": "permission set license", "PermissionSetAssignment": "permission set"}
"""What a record of each type assigns."""


def read_user(org: Org, username: str, wanted: Body) -> list[Body]:
    """
    Read a user as the config writes it.

    What an org writes otherwise by itself is no difference: a username and an e-mail address in lower case, the name
    of a standard profile in the language of the signed-in user.
    """
    soql = "SELECT Username, LastName, Email, ProfileId, Profile.Name, IsActive FROM User WHERE Username = {}"
    bodies: list[Body] = []
    for row in org.query(soql, username):
        email, asked = str(row["Email"] or ""), str(wanted.get("Email", ""))
        profile = (row["Profile"] or {}).get("Name")
        if (
            wanted
            and profile != wanted.get("Profile")
            and profile_names(org).get(row["ProfileId"]) == wanted.get("Profile")
        ):
            profile = wanted["Profile"]
        bodies.append(
            {
                "Username": username,
                "LastName": row["LastName"],
                "Email": asked if email.lower() == asked.lower() else row["Email"],
                "Profile": profile,
                "IsActive": row["IsActive"],
            }
        )
    return bodies


def find_missing_parts(
    org: Org, wanted: Mapping[Address, Body], found: Mapping[Address, Component], planned: Collection[Address]
) -> dict[Address, tuple[MissingPart, ...]]:
    """
    Find what records refer to and the org does not have; `planned` are the addresses that the plan brings.

    Only what is to be written is looked up: a record that is there refers to nothing that is missing.
    """
    missing = {}
    for address, body in sorted(wanted.items()):
        if parts := tuple(_list_missing(org, address, body, found.get(address), planned)):
            missing[address] = parts
    return missing


def _list_missing(
    org: Org, address: Address, body: Body, there: Component | None, planned: Collection[Address]
) -> Iterator[MissingPart]:
    if address.type == "User":
        profile = str(body["Profile"])
        if (there is None or there.body.get("Profile") != profile) and find_profile(org, profile) is None:
            yield MissingPart("profile", profile)
    elif there is None:
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
