"""A mapping that the org refuses waits, and events of the others are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sfcode.relay.message import ClaimedMessage, Delivered, Delivery, FollowUp, Retry
from sfcode.relay.salesforce import make_writer
from sfcode.relay.service import Service
from sfcode.relay.worker.worker import is_outage
from tests.relay.salesforce.world import NOON, World, event
from tests.relay.serving import Relay, Served
from tests.waiting import until

EVERYTHING = "Appcues_Event_Id__c != null"


@pytest.fixture
def world_without_field(world: World) -> Iterator[World]:
    """Return a world whose mapping of leads has an object that the org does not have."""
    rules = world.writer.rules
    destinations = tuple(
        replace(destination, object="Nothing__c") if destination.name == "lead" else destination
        for destination in rules.destinations
    )
    world.writer.rules = replace(rules, destinations=destinations)
    return world


def claimed(followup: FollowUp) -> ClaimedMessage:
    message = followup.message
    return ClaimedMessage(
        999_999, message.source, message.message_id, message.key, message.kind, message.payload, 0, NOON
    )


def test_the_other_mapping_is_written_at_once_and_the_refused_one_follows(world_without_field: World) -> None:
    message = event("appcues:nps_score", score=7)
    assert world_without_field.deliver(message) == [Delivered("waits for mapping lead")]
    assert world_without_field.contact()["NPS_Score__c"] == 7
    (followup,) = world_without_field.followups
    assert (followup.message.key, followup.message.message_id) == (
        f"{message.key}@lead",
        f"{message.message_id}@lead",
    )
    assert 0 < followup.after <= 30
    assert [(name, "lead" in detail, "contact" in detail) for name, detail in world_without_field.recorder.alarms] == [
        ("salesforce_access", True, False)
    ]


def test_of_hundreds_of_events_every_one_comes_through_while_a_mapping_is_refused(world_without_field: World) -> None:
    scores = [number % 11 for number in range(213)]
    users = [("10001", "10002", "10003")[number % 3] for number in range(213)]
    for start in range(0, 213, 71):
        pairs = zip(users[start : start + 71], scores[start : start + 71], strict=True)
        messages = [
            event("appcues:nps_score", user, at=start + at, score=score) for at, (user, score) in enumerate(pairs)
        ]
        assert {type(end) for end in world_without_field.deliver(*messages)} == {Delivered}
        assert len(world_without_field.followups) == 71
    assert len(world_without_field.events(EVERYTHING)) == 213
    assert world_without_field.slept == [], "nobody waits for the mapping that is refused"
    refused_lookups = [
        operation
        for operation, outcome in world_without_field.recorder.calls
        if operation == "lookup" and outcome != "200"
    ]
    assert len(refused_lookups) <= 1, "and it is not asked for again at once"


def test_a_followup_waits_by_itself_and_writes_what_is_missing_once_the_mapping_works(
    world_without_field: World, world: World
) -> None:
    lead = world.rest.create("Lead", LastName="Test", Company="Test", Product_User_Id__c=10001)
    try:
        message = event("appcues:nps_score", score=7)
        world_without_field.deliver(message)
        followup = claimed(world_without_field.followups[0])
        (end,) = world_without_field.deliver(followup)
        assert isinstance(end, Retry)
        assert not end.counts
        assert not is_outage(Delivery({followup.id: end})), "messages of other mappings do not wait"
        assert world_without_field.followups == []
        (end,) = world_without_field.deliver(followup, writer=world.fresh_writer())
        assert end == Delivered()
        value = world.rest.value(f"SELECT Appcues_NPS_Score__c FROM Lead WHERE Id = '{lead}'")
        assert value == 7
        ids = sorted(row["Appcues_Event_Id__c"] for row in world.events(EVERYTHING))
        assert ids == [f"{message.message_id}:contact:nps_score", f"{message.message_id}:lead:nps_score"]
    finally:
        world.rest("DELETE", f"/sobjects/Lead/{lead}")


def test_webhooks_come_through_a_relay_of_which_one_mapping_is_refused(
    world_without_field: World, sqlite_url: str
) -> None:
    def writer(service: Service) -> Any:
        new_writer: Any = make_writer(
            world_without_field.project, world_without_field.org, service.inbox, service.instrumentation
        )
        new_writer.rules = world_without_field.writer.rules
        return new_writer

    def script(served: Served) -> None:
        for number in range(30):
            attributes = {"score": number % 11}
            user = ("10001", "10002", "10003")[number % 3]
            assert served.webhook(name="appcues:nps_score", user_id=user, id=number, attributes=attributes).ok
        until(lambda: served.service.inbox.stats().count("done") == 30)
        assert served.service.inbox.stats().count("ready", "appcues") == 30, "a part of each waits for the mapping"
        until(lambda: [alarm.name for alarm in stored_alarms(served)] == ["salesforce_access"])
        assert "lead" in stored_alarms(served)[0].detail
        assert "contact" not in stored_alarms(served)[0].detail

    def stored_alarms(served: Served) -> tuple[Any, ...]:
        served.service.instrumentation.alarms.flush(served.service.inbox)
        return served.service.inbox.alarms()

    Relay(sqlite_url, make_to_salesforce=writer).serve(script)
    assert len(world_without_field.events(EVERYTHING)) == 30
    assert world_without_field.contact("10003")["NPS_Score__c"] == 29 % 11
