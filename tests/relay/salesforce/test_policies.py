"""The settings of a mapping for several records with one ID, converted leads, and fields with a value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.diagnostics import Position
from sfcode.mapping.conditions import Condition
from sfcode.mapping.place import Place
from sfcode.relay.message import Delivered, Parked
from sfcode.relay.salesforce.actions.nps_fields import NpsFields
from tests.relay.salesforce.scripted import CONTACT, FEEDBACK, LEAD, QUIET, SCORE, Scene, ScriptedCalls
from tests.relay.salesforce.world import event

NEWEST = replace(QUIET, several="newest")
FOLLOWING = replace(LEAD, follows_conversion=True)
BLANK = replace(
    QUIET,
    actions=(NpsFields("contact", "Contact", {"score": SCORE, "feedback": FEEDBACK}, if_blank=frozenset({SCORE})),),
)


@pytest.mark.parametrize("order", [("0031", "0032", "0033"), ("0033", "0032", "0031")])
def test_of_several_records_the_one_that_was_modified_last_is_written(order: tuple[str, ...]) -> None:
    times = {"0031": "2026-01-01T00:00:00.000+0000", "0032": "2026-03-01T00:00:00.000+0000"}
    more = {record: {"LastModifiedDate": times.get(record, times["0032"])} for record in order}
    scene = Scene(ScriptedCalls({"contact": [(record, "a") for record in order]}, more=more), (NEWEST,))
    assert "LastModifiedDate" in NEWEST.fields_to_read
    assert scene.settle(event("appcues:nps_score", "a", score=1)) == [
        Delivered("the newest of several records in contact")
    ]
    assert scene.calls.sent[0].ids == ["0033"]


def test_one_record_alone_is_written_without_a_note() -> None:
    more = {"0031": {"LastModifiedDate": "2026-01-01T00:00:00.000+0000"}}
    scene = Scene(ScriptedCalls({"contact": [("0031", "a")]}, more=more), (NEWEST,))
    assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Delivered()]


CONVERTED = {"00Q1": {"ConvertedContactId": "003z", "ConvertedAccountId": "001z"}}


def lead(*ids: str) -> ScriptedCalls:
    return ScriptedCalls({"lead": [(record_id, "a") for record_id in ids]}, converted=set(ids), more=CONVERTED)


def test_an_event_of_a_converted_lead_is_written_to_its_contact() -> None:
    scene = Scene(lead("00Q1"), (CONTACT, FOLLOWING))
    assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Delivered()]
    update, upsert = scene.calls.sent
    assert (update.ids, [record["WhoId"] for record in upsert.records]) == (["003z"], ["003z"])


def test_a_contact_with_the_id_itself_comes_before_that_of_a_converted_lead() -> None:
    calls = lead("00Q1")
    calls.people["contact"] = [("003a", "a")]
    scene = Scene(calls, (CONTACT, FOLLOWING))
    scene.settle(event("appcues:nps_score", "a", score=1))
    assert scene.calls.sent[0].ids == ["003a"]


@pytest.mark.parametrize(
    ("destinations", "reason"),
    [
        ((CONTACT, LEAD), "the mapping of leads parks"),
        ((FOLLOWING,), "no mapping of contacts"),
        (
            (replace(CONTACT, where=(Condition("A__c", Place(Position("f", 1, 1), ""), ("x",)),)), FOLLOWING),
            "nobody knows whether the contact fits",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_converted_lead_is_parked_without_a_policy_for_it(destinations, reason) -> None:
    scene = Scene(lead("00Q1"), destinations)
    assert scene.settle(event("appcues:nps_score", "a", score=1)) == [
        Parked("converted_lead", "only converted leads have this ID")
    ], reason


def test_two_leads_that_became_two_contacts_are_several_matches() -> None:
    calls = lead("00Q1", "00Q2")
    calls.more = {**CONVERTED, "00Q2": {"ConvertedContactId": "003y"}}
    scene = Scene(calls, (CONTACT, FOLLOWING))
    assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Parked("several_matches", "in contact")]


def test_a_field_that_has_a_value_keeps_it_and_others_are_written() -> None:
    scene = Scene(ScriptedCalls({"contact": [("003a", "a")]}, more={"003a": {SCORE: 0.0}}), (BLANK,))
    survey = event("appcues:nps_score_and_feedback", "a", score=9, feedback="fine")
    assert scene.settle(survey) == [Delivered()]
    (record,) = scene.calls.sent[0].records
    assert {name for name in record if name.endswith("__c")} == {FEEDBACK}


def test_of_two_events_in_one_claim_the_first_fills_a_blank_field() -> None:
    scene = Scene(ScriptedCalls({"contact": [("003a", "a")]}), (BLANK,))
    ends = scene.settle(event("appcues:nps_score", "a", score=3), event("appcues:nps_score", "a", at=5, score=9))
    assert ends == [Delivered(), Delivered("stale")]
    assert [record[SCORE] for call in scene.calls.sent for record in call.records] == [3]
