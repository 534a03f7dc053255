"""The identity of an org and of its signed-in user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfcode.errors import OrgError, OrgUnreachable, SignInError
from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sfcode.org.rest import Rest, Row

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

_RECORD_ID = re.compile(
    r"(?:^|^https://[^/\s]+/(?:lightning/r/(?:\w+/)?)?)([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)(?=$|[/?#])", re.ASCII
)
"""An ID, or the page of a record in Lightning Experience or Salesforce Classic."""

ORGANIZATION = "SELECT Id, Name, IsSandbox, OrganizationType, InstanceName FROM Organization"


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """The user whose session it is; the ID is as the org wrote it."""

    username: str
    user_id: str


@dataclass(frozen=True, slots=True)
class OrgIdentity:
    """An org and the signed-in user; IDs have 18 characters."""

    org_id: str
    username: str
    user_id: str
    instance_url: str
    name: str
    sandbox: bool
    organization_type: str
    api_version: str
    instance_name: str = ""


def to_long_id(text: str) -> str:
    """
    Return an ID with 18 characters; the last three encode the case of the first 15.

    Raises:
        ValueError: The text does not have 15 or 18 letters and digits.

    """
    if not (len(text) in (15, 18) and text.isascii() and text.isalnum()):
        raise ValueError(f"{text!r} is not a Salesforce ID")
    if len(text) == 18:
        return text
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << index for index, letter in enumerate(text[start : start + 5]) if letter.isupper())
        suffix += ALPHABET[bits]
    return text + suffix


def find_record_id(text: str) -> str | None:
    """Return the 18-character ID of a record from an ID or the address of the record's page; None for other texts."""
    match = _RECORD_ID.search(text.strip())
    return to_long_id(match[1]) if match else None


def identify(
    rest: Rest, user: SignedInUser, instance_url: str, api_version: str, organization: Row | None = None
) -> OrgIdentity:
    """Return the identity of the org and of the signed-in user; the organization is queried unless it is passed."""
    rows = [organization] if organization else rest.query(ORGANIZATION, (), {})
    if len(rows) != 1:
        raise OrgError(f"{instance_url} returned no organization.")
    row = rows[0]
    try:
        return OrgIdentity(
            org_id=to_long_id(str(row["Id"])),
            username=user.username,
            user_id=to_long_id(user.user_id),
            instance_url=instance_url,
            name=str(row["Name"]),
            sandbox=row["IsSandbox"] is True,
            organization_type=str(row["OrganizationType"] or ""),
            api_version=api_version,
            instance_name=str(row.get("InstanceName") or ""),
        )
    except (KeyError, ValueError) as error:
        raise OrgError(f"{instance_url} returned an unexpected organization: {error}.") from error


def find_user(rest: Rest, api_version: str) -> SignedInUser:
    """
    Return the signed-in user.

    The userinfo service refuses tokens without the scope `openid` or `id`, such as those of an app that has `api`
    only; for these the list of resources contains the user.
    """
    try:
        with rest.refuse_unexpected_responses():
            info: Mapping[str, Any] = rest.get("/services/oauth2/userinfo")
            if "preferred_username" in info and "user_id" in info:
                return SignedInUser(str(info["preferred_username"]), str(info["user_id"]))
    except (SignInError, OrgUnreachable):
        raise
    except OrgError:
        pass  # refused; the response may be a text or an HTML page
    with rest.refuse_unexpected_responses():
        identity = str(rest.get(f"/services/data/v{api_version}").get("identity", ""))
    user_id = identity.rpartition("/")[2]
    rows = rest.query("SELECT Username FROM User WHERE Id = {}", (user_id,), {})
    if not rows:
        raise OrgError("The org did not return the signed-in user.")
    return SignedInUser(str(rows[0]["Username"]), user_id)
