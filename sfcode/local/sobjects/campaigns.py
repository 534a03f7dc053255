"""Rules of campaign members: one lead or contact, once in each campaign."""

from __future__ import annotations

from functools import cache

from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects.model import PendingRecord
from sfcode.local.sobjects.rows import get_row
from sfcode.local.store import Record
from sfcode.metadata.objects import standard

OF_ADDRESS = frozenset({"City", "Country", "PostalCode", "State", "Street"})


def prepare_member(save: PendingRecord) -> None:
    """Check a member, and copy the fields of its lead or contact."""
    after, tx = save.after, save.tx
    whom = [name for name in ("ContactId", "LeadId") if after.get(name)]
    if len(whom) != 1:
        said = "both a lead and a contact" if whom else "neither a lead nor a contact"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", f"A campaign member can't be {said}", ["LeadId", "ContactId"])
    (key,) = whom
    others = tx.records.find("CampaignMember", key, after[key])
    if any(other["CampaignId"] == after["CampaignId"] and other["Id"] != after.get("Id") for other in others):
        raise make_error("already_a_member")
    name = key.removesuffix("Id")
    after |= _copy_person(name, get_row(tx, name, str(after[key])) or {})
    after |= {"LeadOrContactId": after[key], "Type": name, "HasResponded": after.get("Status") == "Responded"}
    if after["HasResponded"] and not after.get("FirstRespondedDate"):
        after["FirstRespondedDate"] = save.now.date().isoformat()


def _copy_person(name: str, person: Record) -> Record:
    found: Record = {
        field: person.get(f"Mailing{field}" if name == "Contact" and field in OF_ADDRESS else field)
        for field in _shared_fields()
    }
    found["LeadOrContactOwnerId"] = person.get("OwnerId")
    found["CompanyOrAccount"] = person.get("Company")
    return found


@cache
def _shared_fields() -> tuple[str, ...]:
    """List the fields that show what the lead or contact has; a contact's address is the mailing address."""
    member, lead = (standard().objects[name].fields for name in ("CampaignMember", "Lead"))
    own = [name for name in member if name in lead and name not in {"IsDeleted", "SystemModstamp"}]
    return tuple(name for name in own if not member[name].updateable and not name.endswith(("Id", "Date")))
