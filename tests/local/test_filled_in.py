"""Field values that the org sets itself."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.local.record_writer import RecordWriter
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.metadata.component import Component


def deployed(writer: RecordWriter, *components: tuple[str, str, dict[str, Any]]) -> RecordWriter:
    """Deploy components, and return a writer that uses them."""
    for kind, name, body in components:
        writer.tx.components.put(Component(kind, name, body), user_id=writer.user_id, now=writer.now)
    return RecordWriter(writer.tx, Catalog(writer.tx), writer.user_id, writer.now)


def create(writer: RecordWriter, name: str, **values: Any) -> dict[str, Any]:
    record = writer.tx.records.get(name, writer.create(name, values))
    assert record is not None
    return record


def test_new_records_get_default_values(writer: RecordWriter) -> None:
    """A new record has the defaults of its fields, except for values that the caller passes."""
    values = {"value": [{"fullName": "Low"}, {"fullName": "High", "default": True}]}
    write = deployed(
        writer,
        ("CustomField", "Contact.Code__c", {"type": "Text", "length": 20, "defaultValue": '"C-" & $User.Alias'}),
        ("CustomField", "Contact.Due__c", {"type": "Date", "defaultValue": "TODAY() + 7"}),
        ("CustomField", "Contact.Open__c", {"type": "Checkbox", "defaultValue": "true"}),
        ("CustomField", "Contact.Level__c", {"type": "Picklist", "valueSet": {"valueSetDefinition": values}}),
        ("CustomField", "Contact.Broken__c", {"type": "Number", "defaultValue": "1 / 0", "precision": 3, "scale": 0}),
    )
    names = ("Code__c", "Due__c", "Open__c", "Level__c", "Broken__c")
    first = create(write, "Contact", LastName="x")
    assert [first.get(name) for name in names] == ["C-radmin", "2026-03-25", True, "High", None]
    second = create(write, "Contact", LastName="x", Code__c="mine", Open__c=False, Level__c="Low")
    assert [second.get(name) for name in names] == ["mine", "2026-03-25", False, "Low", None]


def test_auto_numbers_count_up(writer: RecordWriter) -> None:
    """Each automatic number field has its own counter, and nobody can write it."""
    name_field = {"type": "AutoNumber", "displayFormat": "V-{0000}", "startingNumber": 7}
    write = deployed(
        writer,
        ("CustomObject", "Visit__c", {"label": "Visit", "pluralLabel": "Visits", "nameField": name_field}),
        ("CustomField", "Visit__c.No__c", {"type": "AutoNumber", "displayFormat": "{0}"}),
    )
    rows = [create(write, "Visit__c") for _ in range(2)]
    assert [(row["Name"], row["No__c"]) for row in rows] == [("V-0007", "1"), ("V-0008", "2")]


@pytest.mark.parametrize(("value", "stored"), [(1.25, 1.3), (-1.25, -1.3), (7, 7.0), ("2.04", 2.0), (99.94, 99.9)])
def test_numbers_are_rounded_to_their_scale(writer: RecordWriter, value: Any, stored: float) -> None:
    write = deployed(writer, ("CustomField", "Contact.Score__c", {"type": "Number", "precision": 3, "scale": 1}))
    assert create(write, "Contact", LastName="x", Score__c=value)["Score__c"] == stored


def test_a_formula_field_is_read_like_any_other(writer: RecordWriter) -> None:
    """A formula field may use another formula field and a field of a parent, and its value is not stored."""
    write = deployed(
        writer,
        ("CustomField", "Account.Code__c", {"type": "Text", "formula": "UPPER(Name)"}),
        ("CustomField", "Contact.Code__c", {"type": "Text", "formula": "Account.Code__c & '/' & LastName"}),
        ("CustomField", "Contact.Share__c", {"type": "Percent", "precision": 5, "scale": 1, "formula": "1 / 8"}),
        ("CustomField", "Contact.Wrong__c", {"type": "Number", "precision": 5, "scale": 1, "formula": "1 / 0"}),
        ("CustomField", "Contact.Round__c", {"type": "Text", "formula": "Round__c & 'x'"}),
    )
    record = create(write, "Contact", LastName="Kim", AccountId=write.create("Account", {"Name": "Acme"}))
    assert "Code__c" not in record
    row = Rows(write.tx, write.catalog, write.now).get("Contact", record["Id"])
    assert row is not None
    names = ("Code__c", "Share__c", "Wrong__c", "LastName")
    assert [row.get(name) for name in names] == ["ACME/Kim", 12.5, None, "Kim"]
    assert str(row.get("Round__c")).endswith("xx"), "a circle, which no org lets in, comes to an end"


def test_a_task_is_closed_with_its_status(writer: RecordWriter) -> None:
    task = create(writer, "Task", Subject="Call")
    assert (task["Status"], task["Priority"], task["IsClosed"]) == ("Not Started", "Normal", False)
    writer.update("Task", task["Id"], {"Status": "Completed", "Priority": "High"})
    closed = writer.tx.records.get("Task", task["Id"]) or {}
    assert (closed["IsClosed"], closed["IsHighPriority"]) == (True, True)
    assert closed["CompletedDateTime"] == "2026-03-18T12:00:00.000+0000"
    writer.update("Task", task["Id"], {"Status": "In Progress"})
    assert (writer.tx.records.get("Task", task["Id"]) or {})["CompletedDateTime"] is None


def test_an_event_belongs_to_the_account_of_its_contact(writer: RecordWriter) -> None:
    account = writer.create("Account", {"Name": "Acme"})
    contact = writer.create("Contact", {"LastName": "x", "AccountId": account})
    times = {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5}
    assert create(writer, "Event", WhoId=contact, **times)["AccountId"] == account
    assert create(writer, "Event", WhatId=account, **times)["AccountId"] == account
    assert create(writer, "Event", **times)["AccountId"] is None


def test_an_activity_may_be_about_a_custom_object_that_allows_it(writer: RecordWriter) -> None:
    for number, allowed in enumerate((True, False)):
        name = f"Visit{number}__c"
        body = {"label": "Visit", "pluralLabel": "Visits", "enableActivities": allowed, "nameField": {"type": "Text"}}
        write = deployed(writer, ("CustomObject", name, body))
        visit = write.create(name, {"Name": "x"})
        if allowed:
            assert create(write, "Task", WhatId=visit)["WhatId"] == visit
        else:
            with pytest.raises(Exception, match="MALFORMED_ID"):
                write.create("Task", {"WhatId": visit})


def test_a_campaign_member_shows_its_contact(writer: RecordWriter) -> None:
    campaign = writer.create("Campaign", {"Name": "Spring"})
    contact = writer.create("Contact", {"LastName": "Kim", "Email": "k@x.example", "MailingCity": "Faro"})
    member = create(writer, "CampaignMember", CampaignId=campaign, ContactId=contact)
    names = ("Name", "Email", "City", "Type", "LeadOrContactId", "Status", "HasResponded")
    assert [member[name] for name in names] == ["Kim", "k@x.example", "Faro", "Contact", contact, "Sent", False]
    writer.update("CampaignMember", member["Id"], {"Status": "Responded"})
    responded = writer.tx.records.get("CampaignMember", member["Id"]) or {}
    assert (responded["HasResponded"], responded["FirstRespondedDate"]) == (True, "2026-03-18")
    assert create(writer, "CampaignMember", CampaignId=writer.create("Campaign", {"Name": "Autumn"}), ContactId=contact)


def statuses(writer: RecordWriter, campaign: str) -> list[tuple[object, ...]]:
    rows = writer.tx.records.find("CampaignMemberStatus", "CampaignId", campaign)
    return [(row["Label"], row["SortOrder"], row["IsDefault"], row["HasResponded"]) for row in rows]


def test_a_campaign_replaces_statuses_that_it_does_not_have_by_its_default(writer: RecordWriter) -> None:
    campaign = writer.create("Campaign", {"Name": "Spring"})
    added = {"CampaignId": campaign, "Label": "Registered", "SortOrder": 3, "HasResponded": True}
    status = writer.create("CampaignMemberStatus", added)
    assert statuses(writer, campaign) == [
        ("Sent", 1, True, False),
        ("Responded", 2, False, True),
        ("Registered", 3, False, True),
    ]
    for values in ({"Label": "registered", "SortOrder": 4}, {"Label": "Late", "SortOrder": 3}):
        with pytest.raises(Exception, match="DUPLICATE_VALUE"):
            writer.create("CampaignMemberStatus", {**added, **values})
    contact = writer.create("Contact", {"LastName": "Kim"})
    member = create(writer, "CampaignMember", CampaignId=campaign, ContactId=contact, Status="registered")
    assert (member["Status"], member["HasResponded"]) == ("Registered", True)
    writer.update("CampaignMember", member["Id"], {"Status": "Unknown"})
    member_row = writer.tx.records.get("CampaignMember", member["Id"]) or {}
    assert (member_row["Status"], member_row["HasResponded"]) == ("Sent", False)
    writer.delete("CampaignMemberStatus", status)
    writer.delete("Campaign", campaign)
    assert statuses(writer, campaign) == []


@pytest.mark.parametrize("status", ["Sent", "Responded"], ids=["the default", "one that a member has"])
def test_a_status_that_is_needed_is_not_deleted(writer: RecordWriter, status: str) -> None:
    campaign, contact = writer.create("Campaign", {"Name": "Spring"}), writer.create("Contact", {"LastName": "Kim"})
    writer.create("CampaignMember", {"CampaignId": campaign, "ContactId": contact, "Status": "Responded"})
    (row,) = writer.tx.records.find("CampaignMemberStatus", "Label", status)
    with pytest.raises(Exception, match="DELETE_FAILED"):
        writer.delete("CampaignMemberStatus", str(row["Id"]))
