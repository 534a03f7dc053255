"""The metrics for alerts and dashboards, of a running relay and of its instrumentation."""

from __future__ import annotations

import asyncio
import math
import re
from datetime import UTC, datetime, timedelta

from sfcode import __version__
from sfcode.relay.api_calls import ApiBudget, using_api
from sfcode.relay.housekeeping import Housekeeping
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import InboxMessage
from sfcode.relay.salesforce.breaker import LONGEST, Breaker
from tests.relay.inbox.conftest import Clock
from tests.relay.serving import Relay, Served
from tests.waiting import PATIENCE, until


def value(text: str, metric: str) -> float:
    (number,) = re.findall(rf"^sfcode_relay_{re.escape(metric)} (\S+)$", text, re.MULTILINE) or ["nan"]
    return float(number)


def test_a_running_relay_shows_that_it_is_ready_and_how_long_things_take(sqlite_url: str):
    def script(served: Served) -> str:
        assert served.webhook().status_code == 200

        def delivered() -> str:
            text = served.get("/metrics").text
            return text if value(text, 'delivery_seconds_count{source="appcues"}') == 1 else ""

        return until(delivered)

    text = Relay(sqlite_url).serve(script)
    assert value(text, "ready") == 1
    assert value(text, f'build_info{{version="{__version__}"}}') == 1
    assert value(text, 'commit_seconds_count{source="appcues"}') == 1
    assert value(text, 'database_seconds_count{operation="commit"}') == 1
    assert value(text, 'database_seconds_count{operation="claim"}') >= 1
    assert 0 <= value(text, 'delivery_seconds_sum{source="appcues"}') < PATIENCE


def test_the_metrics_show_a_process_that_is_not_ready(sqlite_url: str):
    def script(served: Served) -> str:
        served.service.housekeeping.trouble = "the database does not answer"
        return served.get("/metrics").text

    assert value(Relay(sqlite_url).serve(script), "ready") == 0


def test_the_age_of_the_oldest_blocked_message_is_of_the_inbox_clock(sqlite_url: str):
    clock = Clock()
    with clock.open_inbox(sqlite_url) as inbox:
        inbox.accept([InboxMessage("appcues", "1", "user:a", "kind", {}, parked="unknown_user")])
        clock.elapse(3_600)
        inbox.accept([InboxMessage("appcues", "2", "user:a", "kind", {}, parked="unknown_user")])
        text = beat(inbox)
    assert value(text, 'oldest_blocked_seconds{source="appcues"}') == 3_600
    assert value(text, 'oldest_blocked_seconds{source="salesforce"}') == 0


def test_the_budget_is_shown_with_the_requests_of_all_processes(sqlite_url: str):
    with open_inbox(sqlite_url) as inbox:
        assert value(beat(inbox, limit=None, requests=2), "api_budget_limit") == math.inf
        text = beat(inbox, limit=4, requests=3)
    assert (value(text, "api_budget_used"), value(text, "api_budget_limit")) == (5, 4)
    assert value(text, 'api_calls_total{direction="to_salesforce",mapping="contact",purpose="upsert"}') == 3
    assert value(text, 'alarms_total{name="api_budget_used"}') == 1


def beat(inbox: Inbox, limit: int | None = None, requests: int = 0) -> str:
    """Let another process send requests and store one heartbeat; return its metrics."""
    instrumentation = Instrumentation()
    budget = ApiBudget(lambda: limit, instrumentation.raise_alarm)
    budget.pending.counted = instrumentation.record_api_use
    with using_api("upsert", "contact", "to_salesforce"):
        for _ in range(requests):
            budget.pending.count()
    keep = {"done": timedelta(days=1)}
    housekeeping = Housekeeping(inbox, instrumentation, "host:1:a", config="c", retention=keep, budget=budget)
    asyncio.run(housekeeping.beat())
    assert housekeeping.trouble == ""
    return instrumentation.metrics.text().decode()


def test_a_hold_is_shown_until_a_call_succeeds():
    now = datetime(2026, 11, 23, 17, tzinfo=UTC)
    instrumentation = Instrumentation(clock=lambda: now)
    instrumentation.record_hold("contact", LONGEST)
    assert value(instrumentation.metrics.text().decode(), 'held_until{mapping="contact"}') == now.timestamp() + LONGEST
    instrumentation.record_hold("contact", 0)
    assert value(instrumentation.metrics.text().decode(), 'held_until{mapping="contact"}') == 0


def test_a_circuit_breaker_returns_its_pause_and_whether_it_opened():
    breaker = Breaker()
    assert not breaker.record_success()
    assert [breaker.record_failure(0.0, None) for _ in range(3)] == [0.25, 0.5, 1.0]
    assert breaker.record_failure(0.0, None, 120.0) == 120.0
    assert breaker.record_success()
    assert not breaker.record_success()


def test_pauses_are_shown_until_they_end(sqlite_url: str):
    with open_inbox(sqlite_url) as inbox:
        inbox.pause("mapping", "contact", "ada")
        assert value(beat(inbox), 'paused{name="contact",scope="mapping"}') == 1
        inbox.resume("mapping", "contact", "ada")
        assert "sfcode_relay_paused{" not in beat(inbox)
