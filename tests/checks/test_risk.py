"""The risk of a plan's changes: the rules of a review, applied to components."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.checks.risk import assess_change
from sfcode.config.models import PersonalData
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change

PERSONAL = PersonalData.model_validate({"fields": ["Contact.Passport__c"]})
URL = "https://relay.example.com/outbound-messages/contact/x?v=1"


def change(address: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    parsed_address = Address.parse(address)
    sides = (
        None if body is None else Component(parsed_address.type, parsed_address.full_name, body)
        for body in (before, after)
    )
    return Change(parsed_address, *sides)


def message(*fields: str, url: str = URL) -> dict[str, Any]:
    return {"fields": ["Id", "SystemModstamp", *fields], "endpointUrl": url}


def rights(**more: Any) -> dict[str, Any]:
    return {"label": "Set", **more}


def on_contact(**flags: bool) -> dict[str, Any]:
    return rights(objectPermissions={"Contact": flags})


MESSAGE, SET, FIELD = "WorkflowOutboundMessage:Contact.A", "PermissionSet:A", "CustomField:Contact.A__c"
SEEN = {"readable": True, "editable": False}


@pytest.mark.parametrize(
    ("address", "before", "after", "risk", "because"),
    [
        (MESSAGE, message("Title"), message("Title", "Email"), "high", "personal data leaves Salesforce"),
        (MESSAGE, message(), message("Passport__c"), "high", "personal data leaves Salesforce"),
        (MESSAGE, message(), message("Title"), "medium", "more data leaves Salesforce"),
        (MESSAGE, message("Email"), message(), "low", ""),
        (
            MESSAGE,
            message(),
            message(url="https://elsewhere.example.com/x"),
            "high",
            "data is sent to another destination",
        ),
        (MESSAGE, message(), message(url=URL + "2"), "low", ""),
        (MESSAGE, message("Title"), None, "low", ""),
        (MESSAGE, None, message(), "low", ""),
        (SET, on_contact(allowRead=True), on_contact(allowRead=True, viewAllRecords=True), "high", "all records"),
        (SET, on_contact(allowRead=True), on_contact(allowRead=True, allowEdit=True), "medium", "gains rights"),
        (SET, on_contact(allowRead=True, allowEdit=True), on_contact(allowRead=True), "low", ""),
        (
            SET,
            None,
            rights(userPermissions={"ModifyAllData": {"enabled": True}}),
            "high",
            "not limited to the mapped objects",
        ),
        (SET, None, rights(userPermissions={"ApiEnabled": {"enabled": True}}), "medium", "gains rights"),
        (SET, rights(), rights(fieldPermissions={"Contact.A__c": SEEN}), "low", ""),
        (SET, rights(), rights(fieldPermissions={"Contact.A__c": SEEN | {"editable": True}}), "medium", "gains rights"),
        (FIELD, {"type": "Number"}, None, "high", "a field is deleted with the values in it"),
        (FIELD, {"type": "Text", "formula": "TEXT(1)"}, None, "low", ""),
        (FIELD, None, {"type": "Number"}, "low", ""),
        ("Flow:A", None, {"status": "Active"}, "medium", "the data that is sent, or the time of sending, changes"),
        (
            "WorkflowRule:Contact.A",
            {"active": True},
            None,
            "medium",
            "the data that is sent, or the time of sending, changes",
        ),
        ("User:a@b.example", None, {"IsActive": True}, "medium", "the setup of the integration user changes"),
        ("User:a@b.example", None, {"Profile": "Standard User"}, "high", "may do more than its permission set grants"),
        (
            "User:a@b.example",
            {"Profile": "Sales"},
            {"Profile": "Sales", "IsActive": False},
            "medium",
            "the setup of the integration user changes",
        ),
        ("StaticResource:A", None, {"content": ""}, "low", ""),
    ],
)
def test_the_highest_risk_of_a_change(
    address: str, before: dict[str, Any] | None, after: dict[str, Any] | None, risk: str, because: str
) -> None:
    judgment = assess_change(change(address, before, after), PERSONAL)
    assert judgment.risk.word == risk
    assert because in judgment.because
    assert bool(because) is bool(judgment.because)


def test_granted_and_revoked_permissions_are_described() -> None:
    readable = {"Contact.A__c": SEEN}
    before = rights(
        objectPermissions={"Lead": {"allowRead": True}},
        fieldPermissions={**readable, "contact.b__c": SEEN},
        userPermissions={"ApiEnabled": {"enabled": True}},
    )
    after = rights(
        objectPermissions={"contact": {"allowRead": True, "allowEdit": True}}, fieldPermissions={"Contact.B__c": SEEN}
    )
    assert assess_change(change(SET, before, after), PERSONAL).access == (
        "The integration user loses Read on Lead",
        "The integration user gains Read and Edit on contact",
        "The integration user may no longer read Contact.A__c",
        "The integration user loses the permission API Enabled",
    )
    viewers = assess_change(change("PermissionSet:Acme_Viewer", None, rights(fieldPermissions=readable)), PERSONAL)
    assert viewers.access == ("A user with the permission set `Acme_Viewer` may read Contact.A__c",)
    assert assess_change(change(FIELD, None, {"type": "Number"}), PERSONAL).access == ()
