"""Read the integration user as the config writes it."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address, Body, Component
from sfcode.org import Org
from sfcode.org.profiles import find_profile, profile_names


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


def find_missing_profile(org: Org, generated: Desired, found: Mapping[Address, Component]) -> str:
    """Return the profile that a user is to be given and that the org does not have; "" where there is none such."""
    for row in generated.records:
        if row.type == "User":
            profile, there = str(row.body["Profile"]), found.get(row.address)
            if (there is None or there.body.get("Profile") != profile) and find_profile(org, profile) is None:
                return profile
    return ""
