"""When a claim is delivered: pauses, API requests of the org, the session, and requests that are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.errors import SignInError
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema
from sfcode.org.collections import Usage
from sfcode.org.deadline import remaining_seconds
from sfcode.relay.inbox import Unavailable
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, LatestState, Released, Retry, Settlement
from sfcode.relay.salesforce.batch import EventRules
from sfcode.relay.salesforce.breaker import Breaker
from sfcode.relay.salesforce.calls import CallFailedError
from sfcode.relay.salesforce.quota import Quota, QuotaBounds
from sfcode.relay.salesforce.writer import SalesforceWriter
from tests.relay.salesforce.scripted import CONTACT, EVENTS, FEEDBACK, QUIET, SCORE, ScriptedCalls, destination, people
from tests.relay.salesforce.world import event
from tests.relay.states import States

LEASE = 60.0
BOUNDS = QuotaBounds(slow_at=0.8, stop_at=0.95, spread=3600, longest=10, ask_again=300)


@dataclass
class WriterCalls(ScriptedCalls):
    """The calls of a writer, and its other requests."""

    quota: Quota = field(default_factory=lambda: Quota(BOUNDS))
    breaker: Breaker = field(default_factory=Breaker)
    usage_limits: list[Usage | CallFailedError] = field(default_factory=list)
    """The responses to the next requests for the usage of the API."""
    limits_asked: int = 0
    schemas: list[OrgSchema | CallFailedError] = field(default_factory=list)
    described: list[list[str]] = field(default_factory=list)
    renewed: list[tuple[float, float | None]] = field(default_factory=list)
    """The age and the remaining seconds at each renewal of the session."""
    renewal_error: SignInError | None = None
    closed: int = 0

    def __post_init__(self) -> None:
        self.org = SimpleNamespace(collections=SimpleNamespace(usage=None), renew=self._renew, close=self._close)

    def _renew(self, *, older_than: float) -> None:
        self.renewed.append((older_than, remaining_seconds(self.clock)))
        if self.renewal_error is not None:
            raise self.renewal_error

    def _close(self) -> None:
        self.closed += 1

    def limits(self, deadline: float) -> None:
        self.limits_asked += 1
        self.deadlines.append(deadline)
        usage = self.usage_limits.pop(0)
        if isinstance(usage, CallFailedError):
            raise usage
        self.org.collections.usage = usage
        self.quota.record_answer()

    def describe(self, objects: Iterable[str], deadline: float) -> OrgSchema:
        self.described.append(list(objects))
        self.deadlines.append(deadline)
        schema = self.schemas.pop(0)
        if isinstance(schema, CallFailedError):
            raise schema
        return schema


@dataclass
class WriterCase:
    """A writer and its calls."""

    calls: WriterCalls
    writer: SalesforceWriter
    slept: list[float] = field(default_factory=list)

    def deliver(self, *messages: ClaimedMessage) -> list[Settlement]:
        """Deliver messages in one claim and return their settlements in order."""
        claim = Claim("token", self.calls.now + LEASE, messages)
        delivery = asyncio.run(self.writer.deliver(claim))
        assert set(delivery.settlements) == {message.id for message in messages}
        return [delivery.settlements[message.id] for message in messages]


@pytest.fixture
def case() -> WriterCase:
    calls = WriterCalls(people("a", "b"))
    target = replace(QUIET, actions=(replace(QUIET.actions[0], created=frozenset({SCORE, FEEDBACK})),))  # type: ignore[type-var]
    writer = SalesforceWriter(EventRules((target,), EVENTS), calls, States())  # type: ignore[arg-type]
    writer_case = WriterCase(calls, writer)

    async def sleep(seconds: float) -> None:
        writer_case.slept.append(seconds)

    writer.sleep = sleep
    return writer_case


def score(user: str = "a", **more: Any) -> ClaimedMessage:
    return event("appcues:nps_score", user, score=5, **more)


class TestPauses:
    def test_calls_end_before_the_lease(self, case: WriterCase) -> None:
        """The results of the calls must be stored before the lease ends."""
        assert case.deliver(score()) == [Delivered()]
        assert set(case.calls.deadlines) == {1000.0 + LEASE - 2.0}
        assert case.slept == []

    def test_after_a_failure_a_short_pause_is_kept_here(self, case: WriterCase) -> None:
        case.calls.breaker.record_failure(1000.0, 2.0)
        assert case.deliver(score()) == [Delivered()]
        assert case.slept == [2.0]

    def test_a_longer_pause_releases_the_messages(self, case: WriterCase) -> None:
        case.calls.breaker.record_failure(1000.0, 2.5)
        ends = case.deliver(score(), score("b"), score(at=1))
        retry = Retry("held back after a failure", 2.5, counts=False)
        assert ends == [retry, retry, Released()]
        assert case.slept == []
        assert case.calls.looked_up == []

    def test_an_unavailable_database_counts_no_attempt_and_nothing_is_written(self, case: WriterCase) -> None:
        def away(_names: Iterable[str]) -> dict[str, LatestState]:
            raise Unavailable("away")

        case.writer.states = States(away)
        assert case.deliver(score(), score(at=1)) == [Retry("database", counts=False), Released()]
        assert case.calls.sent == []

    def test_the_writer_closes_its_connections(self, case: WriterCase) -> None:
        asyncio.run(case.writer.close())
        assert case.calls.closed == 1


class TestQuota:
    def test_near_the_limit_a_claim_waits_for_its_three_calls(self, case: WriterCase) -> None:
        case.calls.org.collections.usage = Usage(91_400, 100_000)
        assert case.deliver(score()) == [Delivered()]
        assert case.slept == [3.0]

    def test_a_claim_never_waits_longer_than_half_of_its_remaining_lease(self, case: WriterCase) -> None:
        case.calls.org.collections.usage = Usage(94_990, 100_000)
        case.deliver(score())
        assert case.slept == [29.0]

    def test_at_the_limit_the_writer_asks_the_org_and_continues_if_requests_are_left(self, case: WriterCase) -> None:
        case.calls.org.collections.usage = Usage(96_000, 100_000)
        case.calls.usage_limits = [Usage(10, 100_000)]
        assert case.deliver(score()) == [Delivered()]
        assert case.calls.limits_asked == 1
        assert case.calls.alarms == []
        assert case.slept == []

    def test_without_requests_left_the_writer_stops_and_raises_one_alarm(self, case: WriterCase) -> None:
        case.calls.org.collections.usage = Usage(96_000, 100_000)
        case.calls.usage_limits = [Usage(96_000, 100_000)]
        ends = case.deliver(score(), score(at=1), score("b"))
        stopped = Retry("REQUEST_LIMIT_EXCEEDED", 300.0, counts=False)
        assert ends == [stopped, Released(), stopped]
        case.calls.now += 100
        assert case.deliver(score()) == [Retry("REQUEST_LIMIT_EXCEEDED", 200.0, counts=False)]
        assert case.calls.limits_asked == 1
        assert case.calls.looked_up == []
        assert case.calls.alarms == [("salesforce_quota", "the relay has stopped to leave API requests to others")]

    def test_a_later_stop_raises_the_alarm_again(self, case: WriterCase) -> None:
        case.calls.org.collections.usage = Usage(96_000, 100_000)
        case.calls.usage_limits = [Usage(96_000, 100_000), Usage(10, 100_000), Usage(96_000, 100_000)]
        case.deliver(score())
        case.calls.now += 300
        assert case.deliver(score()) == [Delivered()]
        case.calls.org.collections.usage = Usage(96_000, 100_000)
        case.calls.now += 300
        case.deliver(score())
        assert [name for name, _ in case.calls.alarms] == ["salesforce_quota"] * 2

    def test_a_refusal_as_beyond_the_limit_counts_before_any_usage_is_known(self, case: WriterCase) -> None:
        case.calls.quota.record_exceeded()
        case.calls.usage_limits = [CallFailedError(Retry("no answer", counts=False))]
        assert case.deliver(score()) == [Retry("REQUEST_LIMIT_EXCEEDED", 300.0, counts=False)]
        assert set(case.calls.deadlines) == {1000.0 + LEASE - 2.0}


class TestSession:
    def test_a_session_is_renewed_ahead_within_the_lease(self, case: WriterCase) -> None:
        case.deliver(score())
        case.deliver(score(at=1))
        assert case.calls.renewed == [(3000.0, LEASE - 2.0)] * 2

    def test_a_failed_renewal_is_retried_after_a_minute_and_deliveries_continue(self, case: WriterCase) -> None:
        case.calls.renewal_error = SignInError("no", code="invalid_grant")
        assert case.deliver(score()) == [Delivered()]
        case.calls.now += 59
        assert case.deliver(score(at=1)) == [Delivered()]
        assert case.calls.alarms == [("salesforce_sign_in", "invalid_grant")]
        assert len(case.calls.renewed) == 1
        case.calls.now += 1
        case.calls.renewal_error = SignInError("no")
        case.deliver(score(at=2))
        assert case.calls.alarms[1:] == [("salesforce_sign_in", "SignInError")]


class TestLengths:
    SCHEMA = OrgSchema({"Contact": ObjectSchema("Contact", "Contact", {FEEDBACK: Field(FEEDBACK, "string", length=4)})})

    @pytest.fixture
    def measuring(self, case: WriterCase) -> WriterCase:
        """Return a writer with a mapping whose feedback field the project did not create."""
        lead = destination("lead", "Lead", fields={"feedback": "Words__c"}, activities=())
        account = destination("account", "Account", match="group", fields={"feedback": "Words__c"}, activities=())
        case.writer.rules = replace(case.writer.rules, destinations=(QUIET, lead, account))
        return case

    def test_the_org_is_asked_once_and_texts_are_cut(self, measuring: WriterCase) -> None:
        empty = ObjectSchema("Lead", "Lead", {"Words__c": Field("Words__c", "textarea")})
        measuring.calls.schemas = [
            replace(self.SCHEMA, objects={**self.SCHEMA.objects, "Lead": empty, "Account": ObjectSchema("A", "A", {})})
        ]
        for at in (0, 1):
            measuring.deliver(event("appcues:nps_feedback", "a", at=at, feedback="0123456789"))
        assert [call.records[0][FEEDBACK] for call in measuring.calls.sent] == ["0123"] * 2
        assert measuring.calls.described == [["Account", "Contact", "Lead"]]
        assert measuring.writer.rules.lengths == {("Contact", FEEDBACK): 4}
        assert set(measuring.calls.deadlines) == {1000.0 + LEASE - 2.0}

    def test_if_the_org_does_not_answer_deliveries_continue_and_it_is_asked_again(self, measuring: WriterCase) -> None:
        measuring.calls.schemas = [CallFailedError(Retry("no answer", counts=False)), self.SCHEMA]
        for at in (0, 1):
            assert measuring.deliver(event("appcues:nps_feedback", "a", at=at, feedback="0123456789")) == [Delivered()]
        assert [call.records[0][FEEDBACK] for call in measuring.calls.sent] == ["0123456789", "0123"]

    def test_fields_that_the_project_made_need_no_question(self, case: WriterCase) -> None:
        case.deliver(score())
        assert case.calls.described == []
        assert CONTACT.fields_to_measure == {("Contact", FEEDBACK)}
