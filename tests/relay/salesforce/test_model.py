"""For any order of events and any failures, the data in Salesforce ends the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.config.events_file import default_events
from sfcode.org.collections import RecordError, RecordResult
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, LatestState, Retry
from sfcode.relay.salesforce.actions.activities import Activities, ActivityKind
from sfcode.relay.salesforce.actions.nps_fields import NpsFields
from sfcode.relay.salesforce.batch import Batch, EventRules
from sfcode.relay.salesforce.breaker import MappingHolds
from sfcode.relay.salesforce.calls import CallFailedError, CallSize
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.texts import compile_texts
from tests.relay.salesforce.world import event
from tests.relay.states import States

KEY = "Key__c"
EVENTS = default_events()
ACTIVITIES = Activities(
    "contact",
    "WhoId",
    ActivityKind("Event", KEY, lambda event, subject, comment: {"Subject": subject}),
    compile_texts(dict(EVENTS.activities)),
    {"nps_score": frozenset(), "flow_completed": frozenset()},
)
CONTACT = Destination(
    "contact",
    "Contact",
    "user",
    "User__c",
    actions=(NpsFields("contact", "Contact", {"score": "Score__c"}), ACTIVITIES),
)
RULES = EventRules((CONTACT,), EVENTS)
USERS = ["a", "b", "c"]
TROUBLES = st.lists(st.sampled_from(["", "", "", "lock", "refused", "lost"]), max_size=40)


@dataclass
class FarSide:
    """A Salesforce whose calls fail before or after they are executed."""

    troubles: list[str]
    instrumentation: Any = field(default_factory=Instrumentation)
    size: CallSize = field(default_factory=CallSize)
    holds: MappingHolds = field(default_factory=MappingHolds)
    clock: Any = time.monotonic
    room: int = 200
    """The number of records that triggers of the org can process at once."""
    sent: list[int] = field(default_factory=list)
    took_parts: bool = False
    """
    Whether a call was executed in part: records that were sent together with a locked record were written before it.
    """
    scores: dict[str, Any] = field(default_factory=dict)
    activities: dict[str, str] = field(default_factory=dict)
    """The record that each activity is about, by the activity's ID, in order of creation."""

    def trouble(self) -> str:
        return self.troubles.pop() if self.troubles else ""

    def look_up(self, lookup_queries: Sequence[Any], deadline: float) -> list[list[Mapping[str, Any]]]:
        if self.trouble() == "lost":
            raise CallFailedError(Retry("no answer", counts=False))
        return [
            [{"Id": f"003{user}", "User__c": user} for user in re.findall(r"'(\w+)'", query.soql)]
            for query in lookup_queries
        ]

    def update(self, records: Sequence[Mapping[str, Any]], deadline: float) -> list[RecordResult]:
        assert len({record["Id"] for record in records}) == len(records), "Salesforce refuses an ID that comes twice"
        return self._write_each(records, lambda record: self.scores.update({record["Id"]: record["Score__c"]}))

    def upsert(self, name: str, key: str, records: Sequence[Mapping[str, Any]], deadline: float) -> list[RecordResult]:
        return self._write_each(records, lambda record: self.activities.setdefault(record[key], record["WhoId"]))

    def _write_each(self, records: Sequence[Mapping[str, Any]], write: Any) -> list[RecordResult]:
        self.sent.append(len(records))
        if len(records) > self.room:
            words = "Ours: System.LimitException: Too many SOQL queries: 101"
            return [RecordResult("", (RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words),)) for _ in records]
        trouble = self.trouble()
        results = []
        for record in records:
            locked = trouble != "refused" and self.trouble() == "lock"
            self.took_parts |= locked
            if trouble != "refused" and not locked:
                write(record)
            results.append(RecordResult("1", (RecordError("UNABLE_TO_LOCK_ROW", ""),) if locked else ()))
        if trouble in ("refused", "lost"):
            raise CallFailedError(Retry("no answer", counts=False))
        return results


def delivered(messages: list[ClaimedMessage], far: FarSide, size: int) -> None:
    """Deliver like the worker, until no message is left."""
    latest: dict[str, LatestState] = {}

    def find_states(names: Iterable[str]) -> dict[str, LatestState]:
        return {name: latest[name] for name in names if name in latest}

    waiting = list(messages)
    for _ in range(300):
        if not waiting:
            return
        claim = Claim("token", 1e9, tuple(waiting[:size]))
        delivery = Batch(RULES, far, States(find_states), claim, 1e9).deliver()  # type: ignore[arg-type]
        for state in delivery.latest:
            before = latest.get(state.name)
            if before is None or state.stamp >= before.stamp:
                latest[state.name] = state
        waiting = [
            replace(state, attempts=state.attempts + 1)
            if isinstance(delivery.settlements.get(state.id), Retry)
            else state
            for state in waiting
            if not isinstance(delivery.settlements.get(state.id), Delivered)
        ]
    raise AssertionError("it never ends")


MESSAGES = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 5), st.integers(0, 10)), max_size=25)


@settings(max_examples=150)
@given(MESSAGES, TROUBLES, st.integers(1, 30))
def test_values_are_those_of_the_newest_events_and_every_activity_is_there_once_in_order(
    given_events: list[tuple[str, int, int]], troubles: list[str], size: int
) -> None:
    messages = [event("appcues:nps_score", user, at=at, score=score) for user, at, score in given_events]
    far = FarSide(troubles)
    delivered(messages, far, size)
    newest: dict[str, tuple[int, int]] = {}
    for user, at, score in given_events:
        if user not in newest or at >= newest[user][0]:
            newest[user] = (at, score)
    assert far.scores == {f"003{user}": score for user, (_, score) in newest.items()}
    expected_keys = [f"{message.message_id}:contact:nps_score" for message in messages]
    assert sorted(far.activities) == sorted(expected_keys)
    for user in () if far.took_parts else USERS:
        own_keys = [key for key, record_id in far.activities.items() if record_id == f"003{user}"]
        assert own_keys == [key for key in expected_keys if key in own_keys], "in the order of arrival"


@given(st.permutations(range(6)), st.integers(1, 6))
def test_the_value_does_not_depend_on_the_order_of_arrival(order: list[int], size: int) -> None:
    far = FarSide([])
    delivered([event("appcues:nps_score", "a", at=at, score=at) for at in order], far, size)
    assert far.scores == {"003a": 5}


def test_triggers_that_cannot_take_many_records_are_given_fewer_and_that_is_remembered() -> None:
    far = FarSide([], room=60)
    delivered([event("appcues:nps_score", f"u{number}", score=7) for number in range(200)], far, 200)
    assert len(far.scores) == len(far.activities) == 200
    assert far.sent == [200, 100, 50, 50, 50, 50, *[50] * 4], "found out once, by halving"


def test_records_that_fail_in_the_smallest_call_are_parked() -> None:
    far = FarSide([], room=0)
    messages = [event("appcues:nps_score", f"u{number}", score=7) for number in range(10)]
    claim = Claim("token", 1e9, tuple(messages))
    delivery = Batch(RULES, far, States(), claim, 1e9).deliver()  # type: ignore[arg-type]
    reasons = {getattr(end, "reason", "") for end in delivery.settlements.values()}
    assert reasons == {"cannot_insert_update_activate_entity"}
    assert far.sent == [10, 5, 5, 5, 5], "values, then activities"
