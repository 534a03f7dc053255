"""Records are found by an exact ID, and an event with no match or several is not written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sfcode.metadata.component import Component
from sfcode.relay.message import Delivered, Parked
from tests.relay.salesforce.world import World, applied_with, event


def lead(world: World, **values: object) -> str:
    return world.rest.create("Lead", LastName="Test", Company="Test", **values)


@pytest.mark.parametrize(
    "user_id", ["99999999", "010001", "10001.0", "1e4", "+10001", "x' OR Id != '", "\x00", "10001 "]
)
def test_an_id_without_an_exact_match_is_parked(world: World, user_id: str) -> None:
    (end,) = world.deliver(event("appcues:nps_score", user_id, score=9))
    assert isinstance(end, Parked)
    assert end.reason == "unknown_user"
    assert user_id not in end.detail
    assert world.contact()["NPS_Score__c"] is None


def test_an_id_that_is_not_a_number_needs_no_call(world: World) -> None:
    world.deliver(event("appcues:nps_score", "somebody@example.com", score=9))
    assert world.recorder.calls == []


def test_an_id_of_several_records_is_parked_and_the_other_mapping_is_written(world: World) -> None:
    record = [lead(world, Product_User_Id__c=888001) for _ in range(2)]
    contact = world.contact("10003")["Id"]
    world.rest("PATCH", f"/sobjects/Contact/{contact}", json={"Product_User_Id__c": 888001})
    try:
        assert world.deliver(event("appcues:nps_score", "888001", score=9)) == [Parked("several_matches", "in lead")]
        assert world.contact("888001")["NPS_Score__c"] == 9
        assert [record["WhoId"] for record in world.events("Appcues_Event_Id__c != null")] == [contact]
    finally:
        world.rest("PATCH", f"/sobjects/Contact/{contact}", json={"Product_User_Id__c": 10003})
        for lead_id in record:
            world.rest("DELETE", f"/sobjects/Lead/{lead_id}")


def test_a_converted_lead_is_passed_over(world: World) -> None:
    converted = lead(world, Product_User_Id__c=888002, IsConverted=True, Status="Closed - Converted")
    (end,) = world.deliver(event("appcues:nps_score", "888002", score=9))
    assert end == Parked("converted_lead", "only converted leads have this ID")
    open_lead = lead(world, Product_User_Id__c=888002)
    assert world.deliver(event("appcues:nps_score", "888002", score=9)) == [Delivered()]
    assert [activity["WhoId"] for activity in world.events("Appcues_Event_Id__c != null")] == [open_lead]
    assert world.rest.value(f"SELECT Appcues_NPS_Score__c FROM Lead WHERE Id = '{converted}'") is None
    world.rest("DELETE", f"/sobjects/Lead/{open_lead}")


TEXT_ID = """\
object: Contact
direction: to_salesforce
user_id: Tier_Key__c
to_salesforce:
  nps: {score: {field: Appcues_NPS_Score__c, create: true}, feedback: NPS_Words__c}
  activities: [flow_completed]
"""
GROUP = """\
object: Account
match: group
direction: to_salesforce
user_id: Tier_Key__c
to_salesforce:
  nps: {score: {field: Appcues_NPS_Score__c, create: true}}
  activities: [flow_completed]
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return an org with texts as user IDs, accounts as groups, and a short field that existed before."""

    def text(name: str, length: int) -> Component:
        body = {"type": "Text", "label": name, "length": length}
        return Component("CustomField", name, body)

    fields = [text("Contact.Tier_Key__c", 80), text("Account.Tier_Key__c", 80), text("Contact.NPS_Words__c", 20)]
    with applied_with(tmp_path_factory.mktemp("texts"), {"contact": TEXT_ID, "account": GROUP}, fields) as world:
        yield world


@pytest.fixture
def people(texts: World) -> Iterator[dict[str, str]]:
    """Return contacts and an account by their user IDs."""
    keys = ["u-1", "ada@example.com", 'O\'Neil \\ "x"', "Straße", "twin", "TWIN"]
    account = texts.rest.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    records = {key: texts.rest.create("Contact", LastName="Test", AccountId=account, Tier_Key__c=key) for key in keys}
    records["acme"] = texts.rest.create("Account", Name="Acme", Tier_Key__c="acme")
    yield records
    for key, record in records.items():
        texts.rest("DELETE", f"/sobjects/{'Account' if key == 'acme' else 'Contact'}/{record}")
    texts.clean()


def score(world: World, record: str, name: str = "Contact") -> object:
    return world.rest.value(f"SELECT Appcues_NPS_Score__c FROM {name} WHERE Id = '{record}'")


@pytest.mark.parametrize("key", ["u-1", "ada@example.com", 'O\'Neil \\ "x"', "Straße"])
def test_a_text_id_is_quoted_whatever_is_in_it(texts: World, people: dict[str, str], key: str) -> None:
    assert texts.deliver(event("appcues:nps_score", key, score=5)) == [Delivered()]
    assert score(texts, people[key]) == 5


def test_ids_that_differ_in_case_are_two_people_although_soql_ignores_case(
    texts: World, people: dict[str, str]
) -> None:
    messages = [event("appcues:nps_score", "twin", score=1), event("appcues:nps_score", "TWIN", score=2)]
    assert texts.deliver(*messages, event("appcues:nps_score", "Twin", score=3))[:2] == [Delivered(), Delivered()]
    assert (score(texts, people["twin"]), score(texts, people["TWIN"])) == (1, 2)


def test_a_groups_event_goes_to_the_account_and_to_the_user(texts: World, people: dict[str, str]) -> None:
    message = event("appcues:flow_completed", "u-1", group_id="acme", key="group:acme", flowName="W")
    assert texts.deliver(message) == [Delivered()]
    about = {(activity["WhoId"], activity["WhatId"]) for activity in texts.events("Appcues_Event_Id__c != null")}
    assert (people["u-1"], None) in {(who_id, None) for who_id, _ in about}
    assert people["acme"] in {what_id for _, what_id in about}
    assert len(texts.events("Appcues_Event_Id__c != null")) == 2


def test_where_the_user_is_unknown_the_group_is_enough(texts: World, people: dict[str, str]) -> None:
    message = event("appcues:nps_score", "stranger", group_id="acme", score=6)
    assert texts.deliver(message) == [Delivered()]
    assert score(texts, people["acme"], "Account") == 6


def test_feedback_is_cut_to_a_field_that_was_there_before(texts: World, people: dict[str, str]) -> None:
    assert texts.deliver(event("appcues:nps_feedback", "u-1", feedback="0123456789" * 5)) == [Delivered()]
    assert texts.rest.value(f"SELECT NPS_Words__c FROM Contact WHERE Id = '{people['u-1']}'") == "01234567890123456789"
    assert [operation for operation, _ in texts.recorder.calls].count("describe") == 1
    texts.deliver(event("appcues:nps_feedback", "u-1", at=1, feedback="again"))
    assert [operation for operation, _ in texts.recorder.calls].count("describe") == 1, "asked once"


def test_many_long_ids_are_asked_for_in_as_many_queries_as_they_need(texts: World, people: dict[str, str]) -> None:
    messages = [event("appcues:nps_score", f"{number:03}" + "ü" * 77, score=1) for number in range(150)]
    ends = texts.deliver(*messages, event("appcues:nps_score", "u-1", score=8))
    assert ends[-1] == Delivered()
    assert {end.reason for end in ends[:-1] if isinstance(end, Parked)} == {"unknown_user"}
    assert [operation for operation, _ in texts.recorder.calls].count("lookup") < 6
