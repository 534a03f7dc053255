"""The report of an import as complete text and JSON: the scan, the effect of an apply, and the missing values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.importing.answers import ImportOptions
from sfcode.importing.decide import propose_config
from sfcode.importing.pipeline import ImportResult
from sfcode.importing.report import format_report, to_document
from sfcode.importing.scan_result import MessageTrigger
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.plan import Plan, Refusal
from tests.importing.scans import make_scan, message
from tests.plan.samples import TARGET, USER, number

BUSY = MessageTrigger(Address("Flow", "Does_Much"), alone=False)
HAND_MADE = message("Send", by_connector=False, host="hooks.integrations.appcues.com", fired_by=(BUSY,))
ADOPTED = Component("PermissionSet", "Appcues_Access", {"label": "Appcues"})
CHANGES = (
    Change(ADOPTED.address, ADOPTED, ADOPTED, adopted=True),
    Change(number("A__c").address, number("A__c"), number("A__c", 4), adopted=True),
    Change(USER.address, USER, USER),
    Change(number("B__c").address, number("B__c"), number("B__c")),
    Change(number("C__c").address, None, number("C__c")),
    Change(number("D__c").address, number("D__c"), None),
)


def imported(*changes: Change, **more) -> ImportResult:
    scan = make_scan(messages=(message(), HAND_MADE))
    plan = Plan(TARGET, "production", "1", "63.0", Address("StaticResource", "S"), changes, {}, **more)
    return ImportResult(scan, propose_config(scan, ImportOptions()), {"sfcode.yaml": "version: 1\n"}, plan)


FULL = imported(*CHANGES, warnings=("Mind this.",), refusals=(Refusal(number("A__c").address, "is bad", "correct it"),))


def mark(text: str, sign: str) -> str:
    return f"<{sign}|{text}>"


def test_the_text() -> None:
    assert (
        format_report(FULL, ImportOptions(), mark)
        == """\
Found in Northwind Traders (00D000000000001EAA, http://127.0.0.1:1):

  object: Contact
      an outbound message sends it to Appcues
  integration user: appcues@northwind.example
      Appcues' outbound message runs as this user
  permission set: Appcues_Access
      assigned to appcues@northwind.example, Modify All on Contact and 2 fields
      of Event
  user ID of Contact: Appcues_Id__c
      named after Appcues; TEXT(Product_User_Id__c), a number as text; its name
      is like that of an ID
  direction of Contact: both
      there are an outbound message to Appcues and fields, events or permissions
      for data from Appcues
  attributes of Contact: Title
      what Appcues_Access lets the integration user read; remove what must not
      be sent to Appcues

Sends to Appcues today, until an apply with `delivery: relay` deletes it:
  WorkflowOutboundMessage:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj (Appcues'
    own connector), to *.integration-hook.com
    fired by WorkflowRule:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj
  WorkflowOutboundMessage:Contact.Send (made by hand), to
    hooks.integrations.appcues.com
    fired by Flow:Does_Much, which has other actions too

To do by hand before that:
  - WorkflowOutboundMessage:Contact.Send is fired by Flow:Does_Much, which has
    other actions too: remove the message from it in Setup, then add
    WorkflowOutboundMessage:Contact.Send to `replaces`

Adopted unchanged:
    PermissionSet:Appcues_Access
These exist already and match the config:
    User:appcues@example.com
By the plan, this would be created:
  <+|+> CustomField:Contact.C__c
By the plan, this would be changed:
  <~|~> CustomField:Contact.A__c (precision)
By the plan, this would be deleted:
  <-|-> CustomField:Contact.D__c
<!|Refused: CustomField:Contact.A__c is bad; correct it>

Notes:
  - Mind this.

To fill in before `delivery: relay`:
  - appcues_account: the account ID, from the account page of Appcues Studio (or
    --appcues-account)
  - relay_url: the public address of the relay (or --relay-url)"""
    )


def test_the_json_document() -> None:
    assert to_document(FULL, ImportOptions()) == {
        "org": "00D000000000001EAA",
        "choices": [
            {"what": "object", "value": "Contact", "because": "an outbound message sends it to Appcues"},
            {
                "what": "integration user",
                "value": "appcues@northwind.example",
                "because": "Appcues' outbound message runs as this user",
            },
            {
                "what": "permission set",
                "value": "Appcues_Access",
                "because": "assigned to appcues@northwind.example, Modify All on Contact and 2 fields of Event",
            },
            {
                "what": "user ID of Contact",
                "value": "Appcues_Id__c",
                "because": "named after Appcues; TEXT(Product_User_Id__c), a number as text; its name is like "
                "that of an ID",
            },
            {
                "what": "direction of Contact",
                "value": "both",
                "because": "there are an outbound message to Appcues and fields, events or permissions for data "
                "from Appcues",
            },
            {
                "what": "attributes of Contact",
                "value": "Title",
                "because": "what Appcues_Access lets the integration user read; remove what must not be sent "
                "to Appcues",
            },
        ],
        "leftovers": [
            {
                "address": "WorkflowOutboundMessage:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj",
                "connector": True,
                "host": "*.integration-hook.com",
                "fired_by": ["WorkflowRule:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj"],
            },
            {
                "address": "WorkflowOutboundMessage:Contact.Send",
                "connector": False,
                "host": "hooks.integrations.appcues.com",
                "fired_by": ["Flow:Does_Much"],
            },
        ],
        "by_hand": [
            (
                "WorkflowOutboundMessage:Contact.Send is fired by Flow:Does_Much, which has other actions too: remove "
                "the message from it in Setup, then add WorkflowOutboundMessage:Contact.Send to `replaces`"
            )
        ],
        "notes": [],
        "as_is": ["CustomField:Contact.Appcues_Id__c", "PermissionSet:Appcues_Access"],
        "changes": {
            "CustomField:Contact.A__c": "update",
            "CustomField:Contact.C__c": "create",
            "CustomField:Contact.D__c": "delete",
        },
        "refusals": ["CustomField:Contact.A__c is bad; correct it"],
        "to_fill_in": [
            "appcues_account: the account ID, from the account page of Appcues Studio (or --appcues-account)",
            "relay_url: the public address of the relay (or --relay-url)",
        ],
        "files": {"sfcode.yaml": "version: 1\n"},
    }


def test_an_org_that_matches_its_config_is_not_changed() -> None:
    text = format_report(imported(*CHANGES[:1]), ImportOptions(), mark)
    assert "An apply changes nothing in the org; it only records what sfcode manages from\nthen on." in text
    refused = format_report(imported(*CHANGES[:1], refusals=FULL.plan.refusals), ImportOptions(), mark)
    assert "changes nothing" not in refused
    assert "Adopted" not in format_report(imported(CHANGES[1]), ImportOptions(), mark), "it is changed"


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, ["appcues_account", "relay_url"]),
        ({"account": "1"}, ["relay_url"]),
        ({"relay_url": "https://relay.example.com"}, ["appcues_account"]),
        ({"account": "1", "relay_url": "https://relay.example.com"}, []),
    ],
)
def test_values_that_no_org_contains_are_placeholders(options: dict[str, str], missing: list[str]) -> None:
    import_options = ImportOptions(**options)
    assert [line.partition(":")[0] for line in to_document(FULL, import_options)["to_fill_in"]] == missing
    assert ("To fill in before" in format_report(FULL, import_options, mark)) is bool(missing)


def test_a_report_shows_no_control_characters_of_an_org() -> None:
    odd = replace(FULL, found=replace(FULL.found, target=replace(FULL.found.target, name="Acme \x1b[2J")))
    assert format_report(odd, ImportOptions(), mark).startswith("Found in Acme \\x1b[2J (00D")
