"""Rules of campaigns: the statuses of members, and that a lead or contact is a member at most once."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects.model import PendingRecord
from sfcode.local.sobjects.rows import get_row
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.objects import standard

OF_ADDRESS = frozenset({"City", "Country", "PostalCode", "State", "Street"})


def prepare_member(save: PendingRecord) -> None:
    """Check a member, and copy the fields of its lead or contact."""
    after, tx = save.after, save.tx
    person_fields = [name for name in ("ContactId", "LeadId") if after.get(name)]
    if len(person_fields) != 1:
        kind = "both a lead and a contact" if person_fields else "neither a lead nor a contact"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", f"A campaign member can't be {kind}", ["LeadId", "ContactId"])
    (key,) = person_fields
    members = tx.records.find("CampaignMember", key, after[key])
    if any(member["CampaignId"] == after["CampaignId"] and member["Id"] != after.get("Id") for member in members):
        raise make_error("already_a_member")
    name = key.removesuffix("Id")
    after |= _copy_person(name, get_row(tx, name, str(after[key])) or {})
    statuses = tx.records.find("CampaignMemberStatus", "CampaignId", after["CampaignId"])
    default = next(candidate for candidate in statuses if candidate["IsDefault"])
    wish = str(after.get("Status") if "Status" in save.names or save.before else "").casefold()
    status = next((candidate for candidate in statuses if str(candidate["Label"]).casefold() == wish), default)
    after |= {
        "LeadOrContactId": after[key],
        "Type": name,
        "Status": status["Label"],
        "HasResponded": status["HasResponded"],
    }
    if after["HasResponded"] and not after.get("FirstRespondedDate"):
        after["FirstRespondedDate"] = save.now.date().isoformat()


FIRST_STATUSES = (("Sent", True, False), ("Responded", False, True))
"""The statuses of a new campaign: label, whether it is the default, whether it counts as a response, in order."""


def add_statuses(tx: OrgTransaction, campaign_id: str, user_id: str, now: datetime) -> None:
    """Create the first statuses of a new campaign."""
    for order, (label, default, responded) in enumerate(FIRST_STATUSES, 1):
        values: Record = {"CampaignId": campaign_id, "Label": label, "SortOrder": order}
        values |= {"IsDefault": default, "HasResponded": responded}
        tx.records.insert("CampaignMemberStatus", values, user_id=user_id, now=now)


def prepare_status(save: PendingRecord) -> None:
    """Check that no other status of the campaign has the same label or the same place in the order."""
    statuses = save.tx.records.find("CampaignMemberStatus", "CampaignId", save.after["CampaignId"])
    for field in ("Label", "SortOrder"):
        new_value = str(save.after.get(field)).casefold()
        if any(str(row[field]).casefold() == new_value and row["Id"] != save.after.get("Id") for row in statuses):
            raise ApiError(
                "DUPLICATE_VALUE",
                f"duplicate value found: {field} duplicates value on record of this campaign",
                [field],
            )


def check_status_unused(tx: OrgTransaction, status: Record) -> None:
    """Refuse to delete the default status of a campaign, or a status of existing members."""
    members = tx.records.find("CampaignMember", "CampaignId", status["CampaignId"])
    if status["IsDefault"] or any(member["Status"] == status["Label"] for member in members):
        raise ApiError("DELETE_FAILED", "The default status, and a status that members have, cannot be deleted.", [])


def _copy_person(name: str, person: Record) -> Record:
    member_fields: Record = {
        field: person.get(f"Mailing{field}" if name == "Contact" and field in OF_ADDRESS else field)
        for field in _shared_fields()
    }
    member_fields["LeadOrContactOwnerId"] = person.get("OwnerId")
    member_fields["CompanyOrAccount"] = person.get("Company")
    return member_fields


@cache
def _shared_fields() -> tuple[str, ...]:
    """List the fields that are copied from the lead or contact; a contact's address is the mailing address."""
    member, lead = (standard().objects[name].fields for name in ("CampaignMember", "Lead"))
    own = [name for name in member if name in lead and name not in {"IsDeleted", "SystemModstamp"}]
    return tuple(name for name in own if not member[name].updateable and not name.endswith(("Id", "Date")))
