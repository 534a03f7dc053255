"""Failures of calls lose and duplicate nothing, and each message is settled by the error policy."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sfcode.relay.inbox import Unavailable
from sfcode.relay.message import Delivered, LatestState, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.breaker import Breaker
from sfcode.relay.salesforce.quota import QuotaBounds
from tests.relay.salesforce.world import World, event
from tests.relay.states import States
from tests.waiting import PATIENCE, until

UPDATE = "/services/data/*/composite/sobjects"
UPSERT = "/services/data/*/composite/sobjects/Event/*"
QUERIES = "/services/data/*/composite"
EVERYTHING = "Appcues_Event_Id__c != null"


def retry(end: Settlement, *, counts: bool) -> Retry:
    assert isinstance(end, Retry), end
    assert end.counts is counts
    return end


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ("unavailable", QUERIES),
        ("unavailable", UPDATE),
        ("unavailable", UPSERT),
        ("drop", QUERIES),
        ("drop", UPDATE),
        ("drop", UPSERT),
        ("drop_after", UPDATE),
        ("drop_after", UPSERT),
    ],
)
def test_an_outage_counts_no_attempt_and_the_next_delivery_succeeds(world: World, fault: str, path: str) -> None:
    message = event("appcues:nps_score", score=6)
    world.control.arm(fault, path=path)
    retry(world.deliver(message)[0], counts=False)
    assert world.deliver(message) == [Delivered()]
    assert world.contact()["NPS_Score__c"] == 6
    assert len(world.events(EVERYTHING)) == 1


def test_a_retry_after_is_used(world: World) -> None:
    world.control.arm("unavailable", path=UPDATE, retry_after=17)
    assert retry(world.deliver(event("appcues:nps_score", score=6))[0], counts=False).after == 17


def test_an_answer_that_does_not_come_in_time_is_given_up_before_the_lease_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfcode.relay.salesforce.writer.MARGIN", PATIENCE - 1.5)
    monkeypatch.setattr("sfcode.relay.salesforce.calls.SHORTEST", 0)
    world.control.arm("latency", path=UPSERT, seconds=3)
    began = time.monotonic()
    end = world.deliver(event("appcues:nps_score", score=6), lease=PATIENCE)[0]
    assert time.monotonic() - began < PATIENCE
    retry(end, counts=False)
    world.control.arm("drop", path=UPSERT)
    until(
        lambda: all(fault["hits"] for fault in world.control("GET", "/faults")["faults"]),
        "the late request, which would meet the fault of another test",
    )


def test_no_call_is_begun_that_could_outlast_the_lease(world: World) -> None:
    assert world.deliver(event("appcues:nps_score", score=6), lease=2.5) == [Released()]
    assert world.recorder.calls == []


def test_a_locked_activity_is_retried_and_the_value_is_not_lost(world: World) -> None:
    message = event("appcues:nps_score", score=6)
    world.control.arm("row_lock", object="event", times=1)
    retry(world.deliver(message)[0], counts=True)
    assert world.deliver(message) == [Delivered()]
    assert len(world.events(EVERYTHING)) == 1


def test_a_used_up_allowance_stops_the_relay_until_the_org_says_otherwise(world: World) -> None:
    message = event("appcues:nps_score", score=6)
    world.control.arm("request_limit", path=QUERIES)
    assert retry(world.deliver(message)[0], counts=False).after == 300
    assert world.recorder.usage[-1] == (100_000, 100_000)
    assert [name for name, _ in world.recorder.alarms] == ["salesforce_quota"]
    world.recorder.calls.clear()
    assert world.deliver(message) == [Delivered()], "/limits says that there is room"
    assert [operation for operation, _ in world.recorder.calls] == ["limits", "lookup", "update", "upsert"]


def test_a_stopped_relay_asks_rarely_and_settles_other_messages_without_a_call(world: World) -> None:
    world.control.arm("request_limit", path="/services/data/*", times=2)
    messages = [event("appcues:nps_score", score=6), event("appcues:nps_score", at=1, score=7)]
    world.deliver(*messages)
    world.recorder.calls.clear()
    for _ in range(3):
        first, behind = world.deliver(*messages)
        assert 0 < (retry(first, counts=False).after or 0) <= 300
        assert behind == Released()
    assert world.recorder.calls == [("limits", "REQUEST_LIMIT_EXCEEDED")]


def test_calls_slow_down_before_the_limit_stops_them(world: World) -> None:
    writer = world.fresh_writer(bounds=QuotaBounds(slow_at=0.0, stop_at=0.9, spread=90_000))
    assert world.deliver(event("appcues:nps_score", score=6), writer=writer) == [Delivered()]
    assert world.deliver(event("appcues:nps_score", at=1, score=7), writer=writer) == [Delivered()]
    (pause,) = world.slept[-1:]
    assert pause == pytest.approx(3.0, rel=0.01), "one second for each of a claim's three calls"


def test_a_record_that_is_deleted_after_it_was_found_is_looked_for_once_more(world: World) -> None:
    account = world.rest.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    contact = world.rest.create("Contact", LastName="Gone", AccountId=account, Product_User_Id__c=888100)
    message = event("appcues:nps_score", "888100", score=6)
    calls = world.writer.calls
    look_up = type(calls).look_up

    def then_delete(self: Any, *words: Any) -> Any:
        matches = look_up(self, *words)
        world.rest("DELETE", f"/sobjects/Contact/{contact}")
        return matches

    world.writer.calls = type("Calls", (type(calls),), {"look_up": then_delete})(**vars(calls))
    retry(world.deliver(message)[0], counts=True)
    (end,) = world.deliver(message)
    assert isinstance(end, Parked)
    assert end.reason == "unknown_user"
    assert world.events(EVERYTHING) == []


def test_a_failed_lookup_settles_the_first_message_of_each_user_and_releases_the_others(world: World) -> None:
    world.control.arm("unavailable", path=QUERIES)
    ends = world.deliver(
        event("appcues:nps_score", score=6),
        event("appcues:flow_started"),
        event("appcues:flow_started", "10002"),
        event("appcues:nps_score", "10002", score=6),
    )
    retry(ends[0], counts=False)
    assert ends[1:3] == [Released(), Delivered("not_mapped")]
    retry(ends[3], counts=False)


def test_a_failing_org_gets_few_requests_and_no_message_is_given_up(world: World) -> None:
    """The wait gets longer with every failure in a row, and ends with the first success."""
    message = event("appcues:nps_score", score=6)
    world.control.arm("unavailable", path="/services/data/*", times=5)
    for _ in range(4):
        retry(world.deliver(message)[0], counts=False)
    assert world.slept == pytest.approx([0.25, 0.5, 1.0], abs=0.2)
    for _ in range(3):
        world.deliver(message)
    assert retry(world.deliver(message)[0], counts=False).error == "held back after a failure"
    assert [outcome for _, outcome in world.recorder.calls] == ["no_answer"] * 5
    world.control("DELETE", "/faults")
    assert world.deliver(message, writer=world.fresh_writer()) == [Delivered()]


def test_a_pause_that_the_org_requests_is_kept_for_all_messages() -> None:
    breaker = Breaker()
    breaker.record_failure(1000.0, 300.0, 120.0)
    assert breaker.seconds_left(1000.0) == 120
    breaker.record_failure(1000.0, None, 1e9)
    assert breaker.seconds_left(1000.0) == 3600, "but never longer than an hour"


def test_failures_that_a_person_must_correct_are_retried_at_most_twice_a_minute() -> None:
    breaker = Breaker()
    breaker.record_failure(1000.0, 300.0)
    assert breaker.seconds_left(1000.0) == 30
    assert breaker.seconds_left(1029.0) == 1
    assert breaker.seconds_left(1031.0) == 0
    for _ in range(100):
        breaker.record_failure(2000.0, None)
    assert breaker.seconds_left(2000.0) == 30
    breaker.record_success()
    assert breaker.seconds_left(2000.0) == 0
    breaker.record_failure(3000.0, None)
    assert breaker.seconds_left(3000.0) == 0.25


def test_a_database_that_does_not_answer_is_no_attempt_and_nothing_is_written_meanwhile(world: World) -> None:
    def away(_names: object) -> dict[str, LatestState]:
        raise Unavailable("away")

    writer = world.fresh_writer()
    writer.states = States(away)
    ends = world.deliver(event("appcues:nps_score", score=6), event("appcues:nps_score", score=7), writer=writer)
    assert ends == [Retry("database", counts=False), Released()]
    assert world.events("Appcues_Event_Id__c != null") == []
