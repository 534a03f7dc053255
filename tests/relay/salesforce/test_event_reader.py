"""The parts of an event: user, time, answers, and the texts to redact."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sfcode.config.event_models import Alias, Events
from sfcode.relay.message import ClaimedMessage, Parked
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event, records_name, redact, score_name
from tests.relay.salesforce.scripted import EVENTS
from tests.relay.salesforce.world import NOON, event


def read(message: ClaimedMessage, events: Events = EVENTS) -> AppcuesEvent:
    event = read_event(message, events)
    assert isinstance(event, AppcuesEvent)
    return event


def timed(timestamp: object) -> AppcuesEvent:
    message = event("appcues:flow_completed", "a")
    return read(replace(message, payload={**message.payload, "timestamp": timestamp}, received_at=NOON))


@pytest.mark.parametrize(
    ("timestamp", "stamp"),
    [
        ("2026-11-23T14:30:00+02:00", "2026-11-23T12:30:00.000000Z"),
        ("2026-11-23T14:30:00.123456Z", "2026-11-23T14:30:00.123456Z"),
        ("2026-11-23T14:30:00", "2026-11-23T14:30:00.000000Z"),
        ("yesterday", "2026-11-23T12:00:00.000000Z"),
        (None, "2026-11-23T12:00:00.000000Z"),
    ],
)
def test_the_time_is_the_events_in_utc_or_that_of_its_arrival(timestamp: object, stamp: str) -> None:
    event_read = timed(timestamp)
    assert event_read.stamp == stamp
    assert event_read.time == datetime.fromisoformat(stamp)
    assert event_read.time.tzinfo is UTC


@pytest.mark.parametrize(("score", "read_as"), [(0, 0), (10, 10), ("7", 7), (6.0, 6)])
def test_the_lowest_and_the_highest_score_are_scores(score: object, read_as: int) -> None:
    event_read = read(event("appcues:nps_score", "a", score=score))
    assert (event_read.score, event_read.problem, event_read.is_late_feedback) == (read_as, None, False)
    assert isinstance(event_read.score, int)


@pytest.mark.parametrize("score", [-1, 11, 10.5, "x", None, "", True])
def test_anything_else_is_a_problem_and_no_answer(score: object) -> None:
    event_read = read(event("appcues:nps_score", "a", score=score))
    assert isinstance(event_read.problem, Parked)
    assert event_read.problem.reason == "bad_value"
    assert (event_read.answers, event_read.score) == ({}, None)


def test_a_missing_score_is_named_as_the_config_calls_it() -> None:
    events = EVENTS.model_copy(update={"properties": {"nps_score": {"score": "rating"}}})
    assert read(event("appcues:nps_score", "a"), events).problem == Parked("bad_value", "rating is missing")
    bad = read(event("appcues:nps_score", "a", rating=[1]), events)
    assert bad.problem == Parked("bad_value", "rating is no score: list")
    assert read(event("appcues:nps_score", "a", rating=3), events).answers == {"score": 3}


def test_blank_feedback_is_an_event_without_an_answer() -> None:
    event_read = read(event("appcues:nps_feedback", "a", feedback="  "))
    assert (event_read.problem, event_read.answers, event_read.is_late_feedback) == (None, {}, False)
    words = read(event("appcues:nps_feedback", "a", feedback="  ok "))
    assert (words.answers, words.is_late_feedback) == ({"feedback": "ok"}, True)
    assert read(event("appcues:nps_feedback", "a", feedback=5)).answers == {"feedback": "5"}


@pytest.mark.parametrize(
    ("answers", "activities"),
    [
        ({"score": 3, "feedback": "x"}, ("nps_score", "nps_feedback")),
        ({"score": 3}, ("nps_score",)),
        ({"feedback": "x"}, ("nps_feedback",)),
        ({"score": 99}, ("nps_score", "nps_feedback")),
    ],
)
def test_one_event_with_both_answers_is_the_activities_of_those_that_it_has(
    answers: dict[str, Any], activities: tuple[str, ...]
) -> None:
    """With an invalid answer the event has both activities, so that each reports the problem."""
    assert read(event("appcues:nps_score_and_feedback", "a", **answers)).activities == activities


def test_names_are_the_configs_and_other_events_have_none() -> None:
    assert read(event("appcues:flow_completed", "a")).activities == ("flow_completed",)
    unknown = read(event("appcues:flow_started", "a"))
    assert (unknown.name, unknown.activities, unknown.problem) == ("", (), None)
    assert read(event("Clicked", "a")).name == "click_to_track"


def test_an_alias_reads_another_events_answers_under_its_own_names() -> None:
    alias = Alias.model_validate({"as": "nps_score", "attributes": {"score": "answer", "page": "url"}})
    events = EVENTS.model_copy(update={"aliases": {"v2:survey": alias}})
    event_read = read(event("appcues:v2:survey", "a", answer=4, url="/home", other="o"), events)
    assert (event_read.name, event_read.score) == ("nps_score", 4)
    assert (event_read.value("page"), event_read.value("other"), event_read.value("none")) == ("/home", "o", None)
    assert event_read.value("eventName") == "appcues:v2:survey"
    assert event_read.value("score") == 4


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_score_beside_feedback_is_none_and_the_feedback_is_read(empty: object) -> None:
    event_read = read(event("appcues:nps_score_and_feedback", "a", score=empty, feedback="x"))
    assert (event_read.problem, event_read.answers) == (None, {"feedback": "x"})


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_feedback_that_is_no_text_is_a_problem(value: object) -> None:
    event_read = read(event("appcues:nps_feedback", "a", feedback=value))
    assert event_read.problem == Parked("bad_value", f"feedback is no feedback: {type(value).__name__}")


def test_a_time_without_a_zone_is_utc_wherever_the_relay_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    event_read = timed("2026-11-23T14:30:00")
    assert event_read.stamp == "2026-11-23T14:30:00.000000Z"


def test_a_text_shows_an_answer_as_it_is_read_and_not_as_it_was_sent() -> None:
    event_read = read(event("appcues:nps_score_and_feedback", "a", score=" 9 ", feedback=" good\r\n"))
    assert (event_read.value("score"), event_read.value("feedback")) == (9, "good")


def test_ids_are_texts_and_none_is_empty() -> None:
    message = event("appcues:flow_completed", "a")
    event_read = read(replace(message, payload={**message.payload, "user_id": 10001.0, "group_id": None}))
    assert (event_read.user_id, event_read.group_id) == ("10001", "")
    event_read = read(event("appcues:flow_completed", "a", group_id="acme"))
    assert (event_read.id_for("user"), event_read.id_for("group")) == ("a", "acme")


def test_a_followup_keeps_the_id_of_the_event_and_names_its_mapping() -> None:
    message = event("appcues:flow_completed", "a", id="m1")
    assert (read(message).message_id, read(message).mapping) == ("m1", "")
    followup = replace(
        message, message_id="m1@lead", payload={**message.payload, "message_id": "m1", "mapping": "lead"}
    )
    assert (read(followup).message_id, read(followup).mapping) == ("m1", "lead")


def test_a_feedback_is_removed_wherever_the_event_repeats_it_and_nothing_else_is() -> None:
    body = {"context": {"said": ["horrible", " horrible\r\n", "fine", 3], "deep": [{"again": "horrible"}]}}
    message = event("appcues:nps_score_and_feedback", "a", body=body, score=3, feedback=" horrible ")
    payload = redact(read(message))
    assert payload["event"]["context"] == {
        "said": ["[redacted]", "[redacted]", "fine", 3],
        "deep": [{"again": "[redacted]"}],
    }
    assert payload["event"]["attributes"] == {"score": 3, "feedback": "[redacted]"}
    assert {key: value for key, value in payload.items() if key != "event"} == {
        key: value for key, value in message.payload.items() if key != "event"
    }


def test_an_id_that_no_index_takes_is_hashed() -> None:
    assert score_name("x" * 255) == f"score:user:{'x' * 255}"
    assert records_name("a") == "records:user:a"
    for strange in ("x" * 256, "a\n"):
        assert score_name(strange).startswith("score:user:sha256-")
        assert records_name(strange).startswith("records:user:sha256-")


def test_only_a_lead_is_asked_whether_it_is_converted() -> None:
    assert Destination("a", "Lead", "user", "Key__c").fields_to_read == ("Id", "Key__c", "IsConverted")
    assert Destination("a", "Contact", "user", "Key__c").fields_to_read == ("Id", "Key__c")
