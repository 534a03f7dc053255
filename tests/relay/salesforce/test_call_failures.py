"""Failures of calls: those that pause all calls or one mapping, and whether the call may have been executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org.collections import CallRefused, RecordError, RecordResult, Usage
from sfcode.org.deadline import remaining_seconds
from sfcode.org.retry import NoAnswer
from sfcode.relay.message import Released, Retry
from sfcode.relay.salesforce.calls import CallFailedError, Calls, CallSize
from sfcode.relay.salesforce.error_policy import is_record_refusal_of_mapping, is_refusal_of_mapping, settle_call
from sfcode.relay.salesforce.lookup import LookupQuery
from sfcode.relay.salesforce.quota import Quota, QuotaBounds
from tests.relay.salesforce.scripted import CONTACT
from tests.relay.salesforce.world import EventRecorder


def refused(code: str, status: int = 400, after: float | None = None, message: str = "") -> CallRefused:
    return CallRefused(f"{code}: {message}", code=code, status=status, retry_after=after)


@dataclass
class Collections:
    """Collections of an org whose calls have the results in `ends`, one after another."""

    clock: Callable[[], float]
    ends: list[Any] = field(default_factory=list)
    made: list[tuple[str, Any]] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    """The time limit of each call in seconds."""
    usage: Usage | None = None

    def _take(self, name: str, argument: Any, answer: Any) -> Any:
        self.made.append((name, argument))
        self.seconds.append(remaining_seconds(self.clock))
        end = self.ends.pop(0) if self.ends else answer
        if isinstance(end, Exception):
            raise end
        return end

    def query(self, soql: str) -> Any:
        return self._take("query", soql, [])

    def queries(self, texts: Sequence[str]) -> Any:
        return self._take("queries", list(texts), [[] for _ in texts])

    def update(self, records: Sequence[Any], headers: Mapping[str, str]) -> Any:
        return self._take("update", (list(records), headers), [RecordResult("1")])

    def upsert(self, name: str, key: str, records: Sequence[Any], headers: Mapping[str, str]) -> Any:
        return self._take("upsert", (name, key, list(records), headers), [RecordResult("1")])

    def limits(self) -> Any:
        return self._take("limits", None, Usage(1, 2))


@dataclass
class Line:
    """The tested calls, and a clock of the test."""

    now: float = 1000.0
    recorder: EventRecorder = field(default_factory=EventRecorder)

    def __post_init__(self) -> None:
        self.collections = Collections(self.clock)
        org: Any = SimpleNamespace(collections=self.collections, describe=list)
        self.calls = Calls(org, self.recorder, self.clock, Quota(QuotaBounds()), headers={"X": "1"})

    def clock(self) -> float:
        return self.now

    def update(self, *ends: Any, deadline: float = 2000.0) -> Any:
        """Send an update with the given result."""
        self.collections.ends = list(ends)
        return self.calls.update([{"Id": "1"}], deadline)

    def fail(self, error: Exception) -> CallFailedError:
        """Send an update that fails with this error."""
        with pytest.raises(CallFailedError) as failure:
            self.update(error)
        return failure.value

    @property
    def pause(self) -> float:
        """Return the seconds until the next call."""
        return self.calls.breaker.seconds_left(self.now)


@pytest.fixture
def line() -> Line:
    return Line()


def look_up(line: Line, count: int, *ends: Any) -> Any:
    line.collections.ends = list(ends)
    return line.calls.look_up([LookupQuery(CONTACT, f"Q{number}") for number in range(count)], 2000.0)


class TestTime:
    def test_a_call_has_a_minute_at_most_and_ends_with_the_lease(self, line: Line) -> None:
        line.update()
        line.update(deadline=1010.0)
        line.update(deadline=1001.0)
        assert line.collections.seconds == [60.0, 10.0, 1.0]

    def test_without_a_second_left_none_is_begun_and_messages_go_back_as_they_were(self, line: Line) -> None:
        with pytest.raises(CallFailedError) as failure:
            line.update(deadline=1000.9)
        assert failure.value.end == Released()
        assert not failure.value.is_unknown
        assert line.collections.made == []
        assert line.recorder.calls == []


class TestAnswers:
    def test_writes_carry_the_headers(self, line: Line) -> None:
        assert line.update() == [RecordResult("1")]
        line.calls.upsert("Event", "Key__c", [{"Key__c": "x"}], 2000.0)
        assert line.collections.made == [
            ("update", ([{"Id": "1"}], {"X": "1"})),
            ("upsert", ("Event", "Key__c", [{"Key__c": "x"}], {"X": "1"})),
        ]
        assert line.recorder.calls == [("update", "200"), ("upsert", "200")]

    def test_an_answer_ends_the_pause_that_failures_began(self, line: Line) -> None:
        line.fail(NoAnswer("", sent=True))
        line.fail(NoAnswer("", sent=True))
        assert line.pause == 0.5
        line.update()
        assert line.pause == 0
        line.fail(NoAnswer("", sent=True))
        assert line.pause == 0.25

    def test_the_usage_is_reported_after_each_call_that_returns_it(self, line: Line) -> None:
        line.update()
        assert line.recorder.usage == []
        line.collections.usage = Usage(5, 10)
        line.fail(refused("QUERY_TIMEOUT"))
        assert line.recorder.usage == [(5, 10)]

    def test_a_response_to_the_request_for_the_limits_ends_a_stop(self, line: Line) -> None:
        line.calls.quota.record_exceeded()
        line.calls.limits(2000.0)
        assert line.calls.quota.delay(1, 2) == 0
        assert line.calls.describe(["Contact"], 2000.0) == ["Contact"]
        assert [operation for operation, _ in line.recorder.calls] == ["limits", "describe"]


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "unknown"),
        [
            (NoAnswer("", sent=True), True),
            (NoAnswer("", sent=False), False),
            (NoAnswer("", sent=True, permanent=True), False),
            (refused("SERVER_UNAVAILABLE", 503), False),
            (refused("", 502), True),
            (OrgError("not JSON"), True),
            (KeyError("id"), True),
            (TypeError("None"), True),
            (ValueError("x"), True),
            (SignInError("", code="INVALID_SESSION_ID"), False),
        ],
        ids=repr,
    )
    def test_failures_that_may_have_been_executed_are_recognized(
        self, line: Line, error: Exception, unknown: bool
    ) -> None:
        assert line.fail(error).is_unknown is unknown

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (NoAnswer("", sent=True), "no_answer"),
            (NoAnswer("", sent=False), "no_connection"),
            (refused("QUERY_TIMEOUT"), "QUERY_TIMEOUT"),
            (refused("", 502), "502"),
            (SignInError("", code="INVALID_SESSION_ID"), "INVALID_SESSION_ID"),
            (KeyError("id"), "unreadable"),
        ],
        ids=repr,
    )
    def test_the_outcome_of_a_call_is_counted(self, line: Line, error: Exception, outcome: str) -> None:
        line.fail(error)
        assert line.recorder.calls == [("update", outcome)]

    @pytest.mark.parametrize(
        ("error", "pause"),
        [
            (NoAnswer("", sent=True), 0.25),
            (NoAnswer("", sent=True, retry_after=90.0), 90.0),
            (refused("", 503, 120.0), 120.0),
            (refused("REQUEST_LIMIT_EXCEEDED", 403, message="ConcurrentRequests Limit exceeded"), 5.0),
            (refused("REQUEST_LIMIT_EXCEEDED", 403, 11.0, message="concurrent"), 11.0),
            (refused("REQUEST_LIMIT_EXCEEDED", 403), 0.0),
            (refused("QUERY_TIMEOUT"), 0.0),
            (refused("INVALID_TYPE"), 0.0),
            (SignInError("", code="INVALID_SESSION_ID"), 30.0),
        ],
        ids=repr,
    )
    def test_failures_that_pause_all_calls_are_recognized(self, line: Line, error: Exception, pause: float) -> None:
        """Failures of a mapping or a message, and the daily limit, do not pause all calls."""
        line.fail(error)
        assert line.pause == pause

    def test_the_limit_of_the_day_stops_the_relay_and_too_many_at_once_does_not(self, line: Line) -> None:
        line.fail(refused("REQUEST_LIMIT_EXCEEDED", 403, message="Concurrent requests"))
        assert line.calls.quota.delay(0, 0) == 0
        assert line.recorder.alarms == []
        line.fail(refused("REQUEST_LIMIT_EXCEEDED", 403))
        assert line.calls.quota.delay(0, 0) is None
        assert line.recorder.alarms == [("salesforce_quota", "REQUEST_LIMIT_EXCEEDED")]

    def test_the_refusal_of_a_mapping_is_handed_on_with_its_alarm(self, line: Line) -> None:
        failure = line.fail(refused("INVALID_FIELD"))
        assert (failure.of_mapping, failure.alarm) == (True, "salesforce_access")
        assert failure.end == Retry("INVALID_FIELD", 300.0, counts=False)
        assert line.recorder.alarms == [], "the batch raises it with the mapping's name"

    def test_failures_of_the_whole_org_raise_their_alarm(self, line: Line) -> None:
        failure = line.fail(SignInError("", code="INVALID_SESSION_ID"))
        assert not failure.of_mapping
        assert line.recorder.alarms == [("salesforce_sign_in", "INVALID_SESSION_ID")]


class TestLookups:
    def test_one_query_is_one_plain_call_and_six_are_two(self, line: Line) -> None:
        assert look_up(line, 1) == [[]]
        assert look_up(line, 2, [[{"Id": "1"}], [{"Id": "2"}]]) == [[{"Id": "1"}], [{"Id": "2"}]]
        assert len(look_up(line, 6)) == 6
        assert line.collections.made == [
            ("query", "Q0"),
            ("queries", ["Q0", "Q1"]),
            ("queries", ["Q0", "Q1", "Q2", "Q3", "Q4"]),
            ("queries", ["Q5"]),
        ]
        assert {operation for operation, _ in line.recorder.calls} == {"lookup"}

    def test_a_refused_query_of_several_is_handed_on_in_its_place(self, line: Line) -> None:
        rows, failure, last = look_up(line, 3, [[{"Id": "1"}], refused("INVALID_TYPE"), [{"Id": "3"}]])
        assert (rows, last) == ([{"Id": "1"}], [{"Id": "3"}])
        assert isinstance(failure, CallFailedError)
        assert failure.of_mapping

    def test_a_failure_of_all_queries_ends_the_lookup(self, line: Line) -> None:
        with pytest.raises(CallFailedError) as failure:
            look_up(line, 2, [[], refused("SERVER_UNAVAILABLE", 503)])
        assert failure.value.end == Retry("SERVER_UNAVAILABLE", None, counts=False)
        assert line.pause == 0.25

    def test_a_single_query_that_is_refused_is_handed_on_too_and_an_outage_is_not(self, line: Line) -> None:
        (failure,) = look_up(line, 1, refused("INVALID_FIELD"))
        assert isinstance(failure, CallFailedError)
        with pytest.raises(CallFailedError):
            look_up(line, 1, NoAnswer("", sent=True))


class TestPolicy:
    @pytest.mark.parametrize(
        ("error", "of_mapping"),
        [
            (refused("INVALID_TYPE"), True),
            (refused("INVALID_FIELD", 404), True),
            (refused("INVALID_FIELD", 500), False),
            (refused("INVALID_FIELD", 401), False),
            (refused("INVALID_FIELD", 429), False),
            (refused("NOT_FOUND", 404), True),
            (refused("MALFORMED_QUERY"), True),
            (refused("STRING_TOO_LONG"), True),
            (refused("QUERY_TIMEOUT"), False),
            (refused("REQUEST_LIMIT_EXCEEDED", 403), False),
            (OrgError("INVALID_TYPE", code="INVALID_TYPE"), False),
            (NoAnswer("", sent=True), False),
        ],
        ids=repr,
    )
    def test_refusals_of_a_whole_call_for_one_object_are_recognized(self, error: OrgError, of_mapping: bool) -> None:
        assert is_refusal_of_mapping(error) is of_mapping

    def test_refusals_of_a_record_for_its_object_are_recognized(self) -> None:
        assert is_record_refusal_of_mapping(RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", ""))
        assert not is_record_refusal_of_mapping(RecordError("STORAGE_LIMIT_EXCEEDED", ""))

    def test_the_longer_of_two_advised_waits_is_kept(self) -> None:
        assert settle_call(refused("ORG_LOCKED", 400, 7.0))[0].after == 60
        assert settle_call(refused("ORG_LOCKED", 400, 700.0))[0].after == 700
        assert settle_call(refused("ORG_LOCKED", 503))[0].after == 60, "a code that is known, whatever the status"
        busy = refused("REQUEST_LIMIT_EXCEEDED", 403, 11.0, message="concurrent")
        assert settle_call(busy) == (Retry("REQUEST_LIMIT_EXCEEDED (concurrent)", 11.0, counts=False), "")
        assert settle_call(refused("SOMETHING_NEW", 499)) == (
            Retry("SOMETHING_NEW", 300.0, counts=False),
            "salesforce_refused",
        )
        assert settle_call(refused("SOMETHING_NEW", 429, 3.0)) == (Retry("SOMETHING_NEW", 3.0, counts=False), "")


def test_a_call_shrinks_by_halves_never_grows_and_stays_worth_making() -> None:
    size = CallSize()
    assert size.most == 200
    size.shrink(200)
    assert size.most == 100
    size.shrink(400)
    assert size.most == 100
    size.shrink(11)
    assert size.most == 5
    size.shrink(6)
    assert size.most == 5
