"""Events of Appcues become field values and activities: every row of the help page's table."""

from __future__ import annotations

import pytest

from sfcode.relay.message import Delivered, Parked
from tests.relay.salesforce.world import World, event

PAGE = {"_identity": {"_currentPageUrl": "https://app.example.com/home", "_currentPageTitle": "Home"}}

TABLE = [
    (
        event("appcues:nps_score", score=9, **PAGE),
        "Appcues NPS Score Submitted - 9",
        "9 NPS score. Submission location: https://app.example.com/home (Home)",
    ),
    (
        event("appcues:nps_feedback", feedback="Great!", **PAGE),
        "Appcues NPS Feedback Submitted",
        "Great! Submission location: https://app.example.com/home (Home)",
    ),
    (
        event("appcues:flow_completed", flowName="Welcome"),
        "Appcues Flow Completed - Welcome",
        "User completed your Appcues flow titled “Welcome”.",
    ),
    (
        event("appcues:checklist_item_completed", itemIndex=0, itemLabel="Invite", checklistName="Start"),
        "Appcues Checklist Item #1 Completed - Start",
        "User has completed an item titled, “Invite”. This is part of the “Start” checklist.",
    ),
    (
        event("appcues:checklist_completed", checklistName="Start"),
        "Appcues Checklist Fully Completed - Start",
        "User has completed all items in the “Start” checklist.",
    ),
    (
        event("appcues:goal_reached", goalName="Activated"),
        "Appcues Goal Reached - Activated",
        "User has completed the goal titled, “Activated”",
    ),
]


@pytest.mark.parametrize(("message", "subject", "comment"), TABLE, ids=lambda value: getattr(value, "kind", ""))
def test_every_row_of_the_table_becomes_an_event_of_the_contact(world: World, message, subject, comment) -> None:
    assert world.deliver(message) == [Delivered()]
    (event,) = world.events("Appcues_Event_Id__c != null")
    assert (event["Subject"], event["Description"]) == (subject, comment)
    assert event["WhoId"] == world.contact()["Id"]
    assert event["StartDateTime"] == "2026-11-23T12:00:00.000+0000"
    assert event["DurationInMinutes"] == 1
    assert event["Appcues_Event_Id__c"] == f"{message.message_id}:contact:{message.kind.removeprefix('appcues:')}"


def test_a_score_and_its_feedback_are_kept_on_the_record(world: World) -> None:
    messages = [event("appcues:nps_score", score=9), event("appcues:nps_feedback", at=5, feedback="Great!\r\nReally")]
    assert world.deliver(*messages) == [Delivered(), Delivered()]
    assert world.contact() == {"Id": world.contact()["Id"], "NPS_Score__c": 9, "NPS_Feedback__c": "Great!\nReally"}


def test_newer_surveys_send_both_in_one_event_which_becomes_both_activities(world: World) -> None:
    assert world.deliver(event("appcues:nps_score_and_feedback", score=3, feedback="Too slow")) == [Delivered()]
    assert [activity["Subject"] for activity in world.events("Appcues_Event_Id__c != null")] == [
        "Appcues NPS Feedback Submitted",
        "Appcues NPS Score Submitted - 3",
    ]
    assert world.contact()["NPS_Score__c"] == 3
    assert world.contact()["NPS_Feedback__c"] == "Too slow"


def test_a_newer_survey_without_feedback_writes_only_the_score(world: World) -> None:
    assert world.deliver(event("appcues:nps_score_and_feedback", score=10, feedback="")) == [Delivered()]
    assert [activity["Subject"] for activity in world.events("Appcues_Event_Id__c != null")] == [
        "Appcues NPS Score Submitted - 10"
    ]
    assert world.contact()["NPS_Feedback__c"] is None


@pytest.mark.parametrize("score", ["9", " 9 ", 9.0, "9.0"])
def test_a_score_may_be_written_in_several_ways(world: World, score: object) -> None:
    assert world.deliver(event("appcues:nps_score", score=score)) == [Delivered()]
    assert world.contact()["NPS_Score__c"] == 9


@pytest.mark.parametrize("score", [11, -1, "nine", True, 7.5, None, [9], float("inf"), "9" * 400])
def test_an_invalid_score_is_parked_and_not_written(world: World, score: object) -> None:
    (end,) = world.deliver(event("appcues:nps_score", score=score))
    assert isinstance(end, Parked)
    assert end.reason == "bad_value"
    assert world.recorder.calls == []


def test_invalid_feedback_is_parked(world: World) -> None:
    (end,) = world.deliver(event("appcues:nps_feedback", feedback={"a": 1}))
    assert end == Parked("bad_value", "feedback is no feedback: dict")


def test_a_parked_message_does_not_hold_up_those_behind_it(world: World) -> None:
    ends = world.deliver(event("appcues:nps_score", score=99), event("appcues:nps_score", score=4))
    assert isinstance(ends[0], Parked)
    assert ends[1] == Delivered()
    assert world.contact()["NPS_Score__c"] == 4


@pytest.mark.parametrize(
    "name", ["appcues:flow_started", "appcues:v2:experience_completed", "Somebody else", "nps_scored"]
)
def test_an_event_of_no_mapping_is_done_without_a_call(world: World, name: str) -> None:
    assert world.deliver(event(name, score=3)) == [Delivered("not_mapped")]
    assert world.recorder.calls == []


def test_a_click_to_track_event_that_is_listed_is_written(world: World) -> None:
    assert world.deliver(event("Clicked Upgrade", **PAGE)) == [Delivered()]
    (activity,) = world.events("Appcues_Event_Id__c != null")
    assert activity["Subject"] == "Appcues Click-to-track - Clicked Upgrade"
    assert "https://app.example.com/home (Home)" in activity["Description"]


def test_a_message_without_an_event_is_parked(world: World) -> None:
    message = event("appcues:nps_score", score=1)
    message.payload["event"] = "?"
    (end,) = world.deliver(message)
    assert isinstance(end, Parked)
    assert end.reason == "not_understood"


def test_texts_are_cut_to_the_lengths_of_salesforce(world: World) -> None:
    name, words = "🎈" * 300, "é\u0301" * 40_000
    assert world.deliver(
        event("appcues:flow_completed", flowName=name), event("appcues:nps_feedback", at=1, feedback=words)
    ) == [Delivered(), Delivered()]
    feedback, flow = world.events("Appcues_Event_Id__c != null")[::-1]
    assert {len(activity["Subject"].encode("utf-16-le")) // 2 <= 255 for activity in (feedback, flow)} == {True}
    assert world.contact()["NPS_Feedback__c"] == words[:32_768]
    assert max(len(activity["Description"]) for activity in (feedback, flow)) <= 32_000


def test_a_lead_is_written_to_as_well_as_a_contact(world: World) -> None:
    lead = world.rest.rows("SELECT Id FROM Lead WHERE Product_User_Id__c != null AND IsConverted = false LIMIT 1")[0][
        "Id"
    ]
    world.rest("PATCH", f"/sobjects/Lead/{lead}", json={"Product_User_Id__c": 777000})
    assert world.deliver(event("appcues:nps_score", "777000", score=8)) == [Delivered()]
    (activity,) = world.events("Appcues_Event_Id__c != null")
    assert activity["WhoId"] == lead
    assert world.rest.value(f"SELECT Appcues_NPS_Score__c FROM Lead WHERE Id = '{lead}'") == 8


@pytest.mark.parametrize("blank", [" ", "\n\t", "\x01"])
def test_blank_feedback_does_not_replace_feedback(world: World, blank: str) -> None:
    world.deliver(event("appcues:nps_feedback", feedback="Great!"))
    assert world.deliver(event("appcues:nps_score_and_feedback", at=5, score=4, feedback=blank)) == [Delivered()]
    contact_row = world.contact()
    assert (contact_row["NPS_Score__c"], contact_row["NPS_Feedback__c"]) == (4, "Great!")
    assert len(world.events("Appcues_Event_Id__c != null")) == 2
