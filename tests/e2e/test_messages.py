"""The repository's own config in a local org: which saves are sent to the relay, and with which fields."""

from __future__ import annotations

import re

import pytest
import requests

from sfcode.local import serve
from tests.e2e.journey import SECRET, Journey
from tests.local.automation.building import Control, signed_in_as
from tests.local.automation.receiver import receiving
from tests.local.conftest import Rest

MAPPED = ["Appcues_User_Id__c", "Department", "Email", "FirstName", "LastName", "Plan__c", "SystemModstamp", "Title"]


class World:
    """An org with the applied integration, and an endpoint that receives messages instead of the relay."""

    def __init__(self, org, receiver, session, state) -> None:
        self.receiver = receiver
        self.state = state
        self.rest = Rest(org, session=session)
        self.control = Control(self.rest)

    def contact(self, condition: str) -> str:
        return self.rest.rows(f"SELECT Id FROM Contact WHERE {condition} ORDER BY Id LIMIT 1")[0]["Id"]

    def change(self, object_name: str, record_id: str, **values) -> None:
        answer = self.rest("PATCH", f"/sobjects/{object_name}/{record_id}", json=values)
        assert answer.status_code == 204, answer.text

    def sent(self):
        self.control.deliver()
        assert self.control.queue == []
        return self.receiver.take()


@pytest.fixture
def world(tmp_path):
    journey = Journey.start(tmp_path / "project")
    state = tmp_path / "org"
    with receiving() as receiver, serve(state) as org, requests.Session() as session:
        journey.edit("sfcode.yaml", "http://127.0.0.1:8400", receiver.url)
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}
        applied = journey.run("--org", org.url, "apply", "--auto-approve")
        assert applied.code == 0, applied.err
        world = World(org, receiver, session, state)
        assert world.sent() == [], "applying sends nothing"
        yield world


def test_a_mapped_field_that_changes_is_one_message_with_exactly_the_mapped_fields(world):
    record = world.contact("Product_User_Id__c != null AND Email != null AND Plan__c != null")
    world.change("Contact", record, Department="Success")
    world.sent()
    before = world.rest.rows(
        f"SELECT Department, Email, FirstName, LastName, Plan__c, Product_User_Id__c FROM Contact WHERE Id = '{record}'"
    )[0]
    world.change("Contact", record, Title="Chief Customer Officer")
    (post,) = world.sent()
    assert re.fullmatch(rf"/outbound-messages/contact/{SECRET}\?v=[0-9a-f]{{8}}", post.path)
    (fields,) = post.records
    assert list(fields) == ["Id", *MAPPED]
    assert fields.pop("SystemModstamp").endswith("Z")
    assert fields == {
        "Id": record,
        "Appcues_User_Id__c": f"{before['Product_User_Id__c']:.0f}",
        "Title": "Chief Customer Officer",
        **{name: before[name] for name in ("Department", "Email", "FirstName", "LastName", "Plan__c")},
    }


def test_a_field_that_is_not_mapped_sends_nothing(world):
    record = world.contact("Product_User_Id__c != null")
    world.change("Contact", record, Phone="+1 503 555 0100", Description="Nice person")
    assert world.sent() == []


def test_a_save_without_a_changed_mapped_field_sends_nothing(world):
    record = world.contact("Product_User_Id__c != null")
    (title,) = (row["Title"] for row in world.rest.rows(f"SELECT Title FROM Contact WHERE Id = '{record}'"))
    world.change("Contact", record, Title=title)
    assert world.sent() == []


def test_records_without_a_user_id_are_not_sent(world):
    record = world.contact("Product_User_Id__c = null")
    world.change("Contact", record, Title="Not a user")
    assert world.sent() == []
    world.change("Contact", record, Product_User_Id__c=987654321)
    (post,) = world.sent()
    assert post.records[0]["Appcues_User_Id__c"] == "987654321"


def test_a_cleared_field_is_left_out(world):
    record = world.contact("Product_User_Id__c != null AND Title != null AND Email != null")
    world.change("Contact", record, Title=None)
    (post,) = world.sent()
    assert "Title" not in post.records[0]
    assert "Email" in post.records[0]


def test_new_contacts_and_leads_are_sent_each_to_its_mapping(world):
    account = world.rest.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    world.rest.create("Contact", LastName="New", AccountId=account, Product_User_Id__c=4711)
    world.rest.create("Lead", LastName="New", Company="Try Ltd", Product_User_Id__c=4712)
    world.rest.create("Contact", LastName="No user")
    posts = world.sent()
    assert sorted(post.path.split("/")[2] for post in posts) == ["contact", "lead"]
    assert sorted(fields["Appcues_User_Id__c"] for post in posts for fields in post.records) == ["4711", "4712"]


def test_writes_of_the_integration_user_are_not_sent(world):
    (user,) = world.rest.rows("SELECT Id FROM User WHERE Username = 'appcues.integration@example.com.local'")
    record = world.contact("Product_User_Id__c != null")
    with signed_in_as(world.rest, world.state, user["Id"]) as integration:
        answer = integration("PATCH", f"/sobjects/Contact/{record}", json={"Appcues_NPS_Score__c": 9})
        assert answer.status_code == 204, answer.text
    assert world.sent() == []


def test_a_field_without_read_access_is_omitted_from_the_message(world):
    """As in a real org, a field that the message's user cannot read is omitted without an error."""
    record = world.contact("Product_User_Id__c != null AND Email != null")
    (row,) = world.rest.rows("SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Appcues_Integration'")
    assert world.rest("DELETE", f"/sobjects/PermissionSetAssignment/{row['Id']}").status_code == 204
    world.change("Contact", record, Title="Unseen")
    (post,) = world.sent()
    assert post.records == [{"Id": record}]
