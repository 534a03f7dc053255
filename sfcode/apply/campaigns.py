"""Create campaigns, and the statuses of their members."""

from __future__ import annotations

from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Body
from sfcode.org import Org
from sfcode.plan.campaigns import find_campaigns, read_business_record


def make_business_record(org: Org, address: Address, body: Body) -> None:
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
