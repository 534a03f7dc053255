"""The log lines and metrics of batches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from sfcode.relay.inbox import open_inbox
from sfcode.relay.instrumentation import Instrumentation, error_codes
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery, InboxMessage, Parked, Released, Retry
from sfcode.relay.metrics import Metrics


@pytest.fixture
def claim(sqlite_inbox_url: str):
    with open_inbox(sqlite_inbox_url) as inbox:
        inbox.accept([InboxMessage("appcues", f"m{number}", f"user:{number}", "kind", {}) for number in range(6)])
        yield inbox.claim("appcues", limit=10, per_key=1, lease=60)


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"sfcode_relay_{name}_total", labels)


def test_each_outcome_is_counted_under_its_name(claim):
    metrics = Metrics()
    ends = [Delivered(), Delivered(), Retry("503"), Retry("no"), Parked("unknown_user"), Released()]
    delivery = Delivery({message.id: end for message, end in zip(claim.messages, ends, strict=True)})
    dead = frozenset({claim.messages[3].id})
    with capture_logs() as logs:
        Instrumentation(metrics).record_settled(claim, delivery, dead, 6)
    assert value(metrics, "delivered", source="appcues") == 2
    assert value(metrics, "retried", source="appcues") == 1
    assert value(metrics, "dead", source="appcues") == 1
    assert value(metrics, "parked", source="appcues", reason="unknown_user") == 1
    (batch,) = (message_line for message_line in logs if message_line["event"] == "settled")
    assert (batch["delivered"], batch["retried"], batch["dead"], batch["released"]) == (2, 1, 1, 1)
    assert batch["errors"] == ["503", "no"]
    assert [
        (message_line["event"], message_line["log_level"]) for message_line in logs if message_line.get("id") == "m3"
    ] == [("dead", "error")]


def test_an_error_is_named_by_its_code_alone():
    ends = [
        Retry("UNABLE_TO_LOCK_ROW: ada@example.com"),
        Retry("UNABLE_TO_LOCK_ROW: bob@example.com"),
        Retry("x" * 500),
    ]
    assert error_codes([*ends, Delivered()]) == ["UNABLE_TO_LOCK_ROW", "x" * 60]


def test_a_flood_of_refusals_is_counted_whole_and_logged_in_part():
    metrics = Metrics()
    with capture_logs() as logs:
        instrumentation = Instrumentation(metrics)
        for _ in range(1000):
            instrumentation.record_refused("appcues", "token_wrong", 401)
        instrumentation.record_refused("admin", "token_wrong", 401, "192.0.2.1")
    assert value(metrics, "refused", source="appcues", reason="token_wrong") == 1000
    assert len(logs) < 100
    assert logs[-1]["peer"] == "192.0.2.1", "one source does not hide the other"


def test_an_alarm_is_counted_logged_and_kept(sqlite_url: str):
    metrics = Metrics()
    with capture_logs() as logs:
        instrumentation = Instrumentation(metrics, clock=lambda: datetime(2026, 11, 23, tzinfo=UTC))
        instrumentation.raise_alarm("salesforce_quota", "stopped")
    with open_inbox(sqlite_url) as inbox:
        instrumentation.alarms.flush(inbox)
        (alarm,) = inbox.alarms()
    assert (alarm.name, alarm.detail, alarm.at) == ("salesforce_quota", "stopped", "2026-11-23T00:00:00Z")
    assert value(metrics, "alarms", name="salesforce_quota") == 1
    assert logs[0]["log_level"] == "error"


def test_known_messages_are_counted_as_duplicates():
    metrics = Metrics()
    messages = [
        InboxMessage("salesforce", "a", "user:1", "k", {}),
        InboxMessage("salesforce", "b", "", "k", {}, parked="no_data"),
    ]
    instrumentation = Instrumentation(metrics)
    instrumentation.record_committed([messages], [2], [0.004])
    instrumentation.record_committed([messages], [0], [0.004])
    assert value(metrics, "accepted", source="salesforce") == 2
    assert value(metrics, "duplicates", source="salesforce") == 2
    assert value(metrics, "parked", source="salesforce", reason="no_data") == 1


def read_counts(count: int) -> dict[str, float]:
    """Report a claim of two delivered messages, of which `count` were settled."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    messages = tuple(ClaimedMessage(id, "appcues", f"m{id}", "user:1", "e", {}, 0, now) for id in (1, 2))
    metrics = Metrics()
    delivery = Delivery(dict.fromkeys((1, 2), Delivered()))
    Instrumentation(metrics).record_settled(Claim("t", 0.0, messages), delivery, frozenset(), count)
    names = ("delivered", "lost_leases")
    samples = {
        name: metrics.registry.get_sample_value(f"sfcode_relay_{name}_total", {"source": "appcues"}) for name in names
    }
    return {name: value or 0.0 for name, value in samples.items()}


def test_settled_messages_are_counted():
    assert read_counts(2) == {"delivered": 2, "lost_leases": 0}


def test_messages_of_a_lost_claim_are_not_counted_twice():
    assert read_counts(0) == {"delivered": 0, "lost_leases": 2}


def test_receipts_and_outcomes_are_counted_with_their_durations(claim):
    instrumentation = Instrumentation(clock=lambda: datetime(2026, 11, 23, 17, tzinfo=UTC))
    messages = [InboxMessage("appcues", str(number), "user:1", "k", {}) for number in range(3)]
    instrumentation.record_committed([messages, messages[:1], []], [3, 0, 0], [0.004, 0.5, 0.5])
    ends = [Delivered(), Delivered(), Retry("503"), Retry("no"), Parked("unknown_user"), Released()]
    delivery = Delivery({message.id: end for message, end in zip(claim.messages, ends, strict=True)})
    instrumentation.record_settled(claim, delivery, frozenset({claim.messages[3].id}), 6)
    instrumentation.record_call("salesforce", "upsert", "201", 0.1)
    instrumentation.record_call("salesforce", "upsert", "timeout", 0.1)
    numbers = {(key.source, key.figure, key.bound): number for key, number in instrumentation.activity._numbers.items()}
    times = {key: number for key, number in numbers.items() if key[1] == "delivery_time"}
    assert {key: number for key, number in numbers.items() if key not in times} == {
        ("appcues", "received", 0): 3,
        ("appcues", "commit_time", 5): 3,
        ("appcues", "delivered", 0): 2,
        ("appcues", "retried", 0): 1,
        ("appcues", "dead", 0): 1,
        ("appcues", "parked", 0): 1,
        ("salesforce", "calls", 0): 1,
        ("salesforce", "failed_calls", 0): 1,
    }
    assert sum(times.values()) == 2
