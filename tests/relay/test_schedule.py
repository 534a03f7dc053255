"""Scheduled jobs of the relay: started, counted, and stopped with their process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sfcode.config.relay_models import Schedule
from sfcode.errors import OrgError
from sfcode.relay.backfill.records import MappingsRefusedError
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.report import RelayStatus, describe_schedule, format_age, scheduled_status, status_document
from sfcode.relay.schedule import ScheduledJob, Scheduler

HOURS = timedelta(hours=6)


@pytest.fixture
def inbox(sqlite_inbox_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_inbox_url) as inbox:
        yield inbox


def run_once(inbox: Inbox, work: Callable[..., int], holder: str = "a") -> Instrumentation:
    """Run the due jobs once, as a new process does, and stop."""
    instrumentation = Instrumentation()

    async def look() -> None:
        scheduler = Scheduler(inbox, instrumentation, holder, lambda: [ScheduledJob("refresh", HOURS, work)])
        await scheduler.run_due()
        await scheduler.stop()

    asyncio.run(look())
    return instrumentation


def test_a_job_runs_once_however_often_the_relay_is_restarted(inbox: Inbox) -> None:
    calls: list[str] = []

    def work(checkpoint: Any, _sleep: Any) -> int:
        checkpoint()
        calls.append("")
        return 4

    runs = [run_once(inbox, work, holder) for holder in ("a", "b", "a")]
    metrics = runs[-1].metrics
    assert len(calls) == 1
    labels = {"schedule": "refresh", "outcome": "done"}
    assert runs[0].metrics.registry.get_sample_value("sfcode_relay_scheduled_runs_total", labels) == 1
    for instrumentation in runs:
        instrumentation.alarms.flush(inbox)
    assert inbox.alarms() == ()
    (run,) = inbox.scheduled_runs()
    assert (run.holder, run.outcome, run.queued) == ("a", "done", 4)
    assert run.ended_at is not None
    # The last process ran no job, but its metrics include the runs of other processes.
    finished_at = metrics.registry.get_sample_value("sfcode_relay_scheduled_done", {"schedule": "refresh"})
    assert finished_at == run.ended_at.timestamp()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OrgError("no", code="REQUEST_LIMIT_EXCEEDED"), "REQUEST_LIMIT_EXCEEDED"),
        (OrgError("no"), "OrgError"),
        (RuntimeError("with a secret"), "RuntimeError"),
    ],
)
def test_a_job_that_fails_raises_an_alarm_and_is_tried_again(inbox: Inbox, error: Exception, outcome: str) -> None:
    def work(_checkpoint: Any, _sleep: Any) -> int:
        raise error

    instrumentation = run_once(inbox, work)
    (run,) = inbox.scheduled_runs()
    assert run.outcome == outcome
    assert run.ended_at is not None
    assert run.next_at(HOURS) - run.ended_at == timedelta(minutes=15)
    instrumentation.alarms.flush(inbox)
    assert [(alarm.name, alarm.detail) for alarm in inbox.alarms()] == [("schedule_failed", f"refresh: {outcome}")]
    labels = {"schedule": "refresh", "outcome": "failed"}
    assert instrumentation.metrics.registry.get_sample_value("sfcode_relay_scheduled_runs_total", labels) == 1


def test_a_job_with_a_refused_mapping_counts_the_messages_of_the_others(inbox: Inbox) -> None:
    def work(_checkpoint: Any, _sleep: Any) -> int:
        raise MappingsRefusedError([OrgError("no", code="INVALID_FIELD")], [3, 4])

    run_once(inbox, work)
    (run,) = inbox.scheduled_runs()
    assert (run.outcome, run.queued) == ("INVALID_FIELD", 7)


@pytest.mark.parametrize("waits", ["between two pages", "for the org"])
def test_a_stop_ends_a_run_and_the_next_process_goes_on_at_once(inbox: Inbox, waits: str) -> None:
    began = threading.Event()

    def work(checkpoint: Callable[[], None], sleep: Callable[[float], None]) -> int:
        began.set()
        while True:
            if waits == "for the org":
                sleep(3600)
            checkpoint()

    instrumentation = Instrumentation()

    async def look() -> None:
        jobs = [ScheduledJob("refresh", HOURS, work)]
        scheduler = Scheduler(inbox, instrumentation, "a", lambda: jobs)
        task = asyncio.create_task(scheduler.run())
        await asyncio.to_thread(began.wait)
        task.cancel()
        await scheduler.stop()

    asyncio.run(look())
    (run,) = inbox.scheduled_runs()
    assert (run.outcome, run.queued) == ("stopped", 0)
    instrumentation.alarms.flush(inbox)
    assert inbox.alarms() == ()
    labels = {"schedule": "refresh", "outcome": "stopped"}
    assert instrumentation.metrics.registry.get_sample_value("sfcode_relay_scheduled_runs_total", labels) == 1
    run_once(inbox, lambda *_: 1, "b")
    assert [(scheduled_run.holder, scheduled_run.outcome) for scheduled_run in inbox.scheduled_runs()] == [
        ("b", "done")
    ]


def test_the_status_says_when_a_job_ran_and_is_due(inbox: Inbox) -> None:
    schedule = Schedule(refresh_hours=6, reconcile_hours=1)
    run_once(inbox, lambda *_: 1200)
    stats = inbox.stats()
    statuses = scheduled_status(schedule, inbox.scheduled_runs())
    lines = [describe_schedule(entry, stats.now) for entry in statuses]
    assert lines[0] == "reconcile every 1 h: not yet"
    assert lines[1].startswith("refresh every 6 h: done ")
    (run,) = inbox.scheduled_runs()
    assert f" ago, 1,200 messages; due in {format_age(stats.now, run.next_at(HOURS))}" in lines[1]
    entries = status_document(RelayStatus(stats, schedule=statuses))["schedule"]
    assert [(entry["job"], entry["every_hours"], entry["outcome"], entry["queued"]) for entry in entries] == [
        ("reconcile", 1, None, 0),
        ("refresh", 6, "done", 1200),
    ]
    assert scheduled_status(Schedule(), inbox.scheduled_runs()) == []
