"""The results of a round, and the pauses of mappings and of the org, as values."""

from __future__ import annotations

import pytest

from sfcode.relay.message import Delivered, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.actions.action import RecordWrite
from sfcode.relay.salesforce.breaker import Breaker, MappingHolds
from sfcode.relay.salesforce.quota import Quota, QuotaBounds
from sfcode.relay.salesforce.write_plan import WriteGroup, WriteRound
from tests.relay.salesforce.world import event

RETRY, PARKED, STALE = Retry("busy"), Parked("bad_value"), Delivered("stale")


@pytest.mark.parametrize(
    ("ends", "end", "retried"),
    [
        ([], Delivered(), False),
        ([STALE], STALE, False),
        ([STALE, PARKED], PARKED, False),
        ([PARKED, Released()], Released(), True),
        ([PARKED, Released(), RETRY], RETRY, True),
        ([PARKED, RETRY, Retry("second")], RETRY, True),
    ],
)
def test_a_retry_comes_before_what_is_parked_and_that_before_what_is_done(
    ends: list[Settlement], end: Settlement, retried: bool
) -> None:
    message = event("appcues:nps_score")
    round_ = WriteRound({message.id: message}, {message.id: ends})
    assert round_.end(message.id) == end
    assert round_.list_waiting() == ({message.id} if retried else set())


def test_updates_go_before_activities_and_each_kind_of_activity_has_a_call_of_its_own() -> None:
    round_ = WriteRound({}, {})
    for write in (
        RecordWrite("contact", "upsert", "Task", "Key__c", "t", {}),
        RecordWrite("contact", "upsert", "Event", "Key__c", "e", {}),
        RecordWrite("contact", "update", "Contact", "Id", "1", {"A": 1}),
        RecordWrite("lead", "update", "Lead", "Id", "2", {"A": 2}),
        RecordWrite("people", "update", "Contact", "Id", "1", {"B": 3}),
    ):
        round_.add(7, write)
    (updates, records), *upserts = round_.writes()
    assert updates == WriteGroup("update")
    assert [(write.object, write.record) for write in records] == [
        ("Contact", {"attributes": {"type": "Contact"}, "Id": "1", "A": 1, "B": 3}),
        ("Lead", {"attributes": {"type": "Lead"}, "Id": "2", "A": 2}),
    ]
    assert records[0].messages == {7: {"contact", "people"}}
    assert {group for group, _ in upserts} == {
        WriteGroup("upsert", "Task", "Key__c"),
        WriteGroup("upsert", "Event", "Key__c"),
    }


def test_a_mapping_is_held_for_half_a_minute_and_no_other() -> None:
    holds = MappingHolds()
    assert holds.seconds_left("lead", 5.0) == 0
    holds.hold("lead", 1000.0)
    assert (holds.seconds_left("lead", 1010.0), holds.seconds_left("lead", 1031.0)) == (20, 0)
    assert holds.seconds_left("contact", 1000.0) == 0


def test_failures_double_the_pause_up_to_half_a_minute() -> None:
    breaker = Breaker()
    pauses = []
    for _ in range(9):
        breaker.record_failure(0.0, None)
        pauses.append(breaker.seconds_left(0.0))
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_the_wait_of_a_stopped_relay_is_never_nothing() -> None:
    quota = Quota(QuotaBounds(ask_again=300))
    assert quota.wait(0.0) == 300
    assert quota.may_ask(0.0)
    assert quota.wait(299.5) == 1.0
    assert quota.wait(1000.0) == 1.0
