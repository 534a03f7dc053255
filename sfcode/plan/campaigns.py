"""Read campaigns and the statuses of their members, and find what prevents an apply from creating them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from sfcode.errors import HIDDEN_CODES, OrgError
from sfcode.metadata.component import Address, Body
from sfcode.org import Org
from sfcode.plan.snapshot import MissingPart

if TYPE_CHECKING:
    from sfcode.org.rest import Row


def find_campaigns(org: Org, body: Body) -> list[str]:
    """Return the IDs of the campaigns that a body of a campaign or status refers to; none without access to campaigns."""
    if "CampaignId" in body:
        return [str(row["Id"]) for row in _query(org, "SELECT Id FROM Campaign WHERE Id = {}", str(body["CampaignId"]))]
    name = str(body["CampaignName"])
    return [str(row["Id"]) for row in _query(org, "SELECT Id FROM Campaign WHERE Name = {}", name)]


def read_business_record(org: Org, address: Address, desired: Body) -> list[Body]:
    """Return the desired body of a campaign or a status if it exists in the org, else an empty list."""
    campaigns = find_campaigns(org, desired)
    if address.type == "Campaign" or not campaigns:
        return [desired] if campaigns else []
    soql = "SELECT Id FROM CampaignMemberStatus WHERE CampaignId IN {} AND Label = {}"
    return [desired] if _query(org, soql, campaigns, str(desired["Label"])) else []


def list_missing_for_campaigns(
    org: Org, address: Address, body: Body, planned: Collection[Address]
) -> Iterator[MissingPart]:
    """
    Yield what a campaign or a status needs to be created and is missing: the user's feature license, or the campaign.

    A new status is put last in its campaign, so a status that the config has after it must not exist yet.
    """
    username = org.identity.username
    rows = _query(org, "SELECT UserPermissionsMarketingUser FROM User WHERE Username = {}", username)
    if not any(row["UserPermissionsMarketingUser"] for row in rows):
        yield MissingPart("feature license", "Marketing User", f"the user {username}")
    if address.type != "CampaignMemberStatus":
        return
    key, campaigns = str(body.get("CampaignId") or body["CampaignName"]), find_campaigns(org, body)
    if len(campaigns) > 1 or not (campaigns or Address("Campaign", key) in planned):
        yield MissingPart("unique campaign" if campaigns else "campaign", key)
    later = body.get("Before")
    soql = "SELECT Label FROM CampaignMemberStatus WHERE CampaignId IN {} AND Label IN {} ORDER BY SortOrder"
    rows = _query(org, soql, campaigns, later) if campaigns and later else []
    if rows:
        yield MissingPart("place before the status", str(rows[0]["Label"]), f"the campaign {key}")


def _query(org: Org, soql: str, *values: object) -> list[Row]:
    try:
        return org.query(soql, *values)
    except OrgError as error:
        if error.code not in HIDDEN_CODES:
            raise
        return []
