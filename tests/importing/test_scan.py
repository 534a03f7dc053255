"""The data that a scan reads from an org that was connected by hand, including fields that the signed-in user cannot see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.importing.answers import ImportOptions
from sfcode.importing.scan import scan_org
from sfcode.importing.scan_result import CandidateUser, Formula
from sfcode.local import serve
from sfcode.metadata.component import Component
from sfcode.org import Org
from tests.e2e.clicked import FIELD, HOST, PAIR, SET, USER, click, pair, permission_set
from tests.e2e.org import deploy, opened

HIDDEN = Component(
    "CustomField", "Contact.Member_No__c", {"label": "Member", "type": "Number", "precision": 9, "scale": 0}
)
KEY = Component("CustomField", "Contact.Member_Key__c", {**FIELD.body, "formula": "TEXT(Member_No__c)"})
ADMIN = "admin@northwind.example"


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    state: Path = tmp_path_factory.mktemp("scanned") / "org"
    click(state)
    with serve(state) as served:
        other_message, _ = pair("Invoice", user=ADMIN, host="erp.example.com")
        grants = permission_set(readable=("Title", "Appcues_Id__c", "Member_Key__c"))
        rights = dict.fromkeys(grants.body["objectPermissions"]["Contact"], False) | {"allowRead": True}
        grants.body["objectPermissions"] |= {"Account": rights, "Case": rights}
        deploy(served, HIDDEN, KEY, other_message, grants)
        with opened(served) as client:
            yield client


def test_a_scan_finds_the_message_the_user_and_its_rights(org: Org) -> None:
    scan = scan_org(org, ImportOptions())
    assert (scan.target.name, scan.email, scan.is_sandbox) == ("Northwind Traders", "admin@northwind.example", False)
    (message,) = scan.messages
    assert (message.address.full_name, message.host, message.user) == (f"Contact.{PAIR}", HOST, USER)
    assert [trigger.address.full_name for trigger in message.fired_by] == [f"Contact.{PAIR}"]
    assert scan.people == (
        CandidateUser(
            USER,
            "Integration",
            "it@northwind.example",
            "Salesforce API Only System Integrations",
            "Salesforce Integration",
            ("SalesforceAPIIntegrationPsl",),
            (SET,),
        ),
    )
    assert scan.grants(SET).objects("allowRead") == {"Account", "Case", "Contact"}
    assert set(scan.fields) == {"Account", "Contact"}, "no mapping is for cases"
    assert (scan.events, scan.event_id) == (0, False)


def test_fields_that_the_administrator_cannot_see_are_read_from_the_metadata(org: Org) -> None:
    assert not {"Member_No__c", "Member_Key__c"} & {*org.describe(["Contact"]).objects["Contact"].fields}
    scan = scan_org(org, ImportOptions())
    fields = scan.fields["Contact"]
    assert (fields["Member_Key__c"].type, fields["Member_No__c"].type) == ("string", "double")
    assert scan.formulas == {
        "Contact.Appcues_Id__c": Formula("TEXT(Product_User_Id__c)", True, "Product_User_Id__c"),
        "Contact.Member_Key__c": Formula("TEXT(Member_No__c)", True, "Member_No__c"),
    }


def test_objects_users_and_permission_sets_of_options_are_read_too(org: Org) -> None:
    options = ImportOptions(objects=("Lead",), user=ADMIN, permission_set="No_Such_Set")
    scan = scan_org(org, options)
    assert set(scan.fields) == {"Account", "Contact", "Lead"}
    assert [person.username for person in scan.people] == [ADMIN, USER]
    assert set(scan.sets) == {SET}
