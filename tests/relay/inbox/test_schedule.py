"""Scheduled jobs: each is started by one process, when it is due, and taken over from a killed process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sfcode.relay.inbox import Inbox
from sfcode.relay.inbox.schedule import DONE, LEASE, RETRY, STOPPED
from tests.relay.inbox.conftest import Clock

HOUR = timedelta(hours=1)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def timed(sqlite_url: str, clock: Clock) -> Iterator[Inbox]:
    with clock.open_inbox(sqlite_url) as inbox:
        yield inbox


def test_of_many_processes_one_begins_a_job(inbox: Inbox) -> None:
    for _ in range(3):
        with ThreadPoolExecutor(8) as threads:
            runs = list(threads.map(lambda number: inbox.begin_run("refresh", timedelta(0), f"p{number}"), range(8)))
        (run,) = (candidate for candidate in runs if candidate is not None)
        assert inbox.scheduled_runs() == (run,)
        assert inbox.end_run(run, DONE, 3)
        (ended,) = inbox.scheduled_runs()
        assert (ended.outcome, ended.queued, ended.holder) == (DONE, 3, run.holder)


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [(DONE, HOUR), (STOPPED, timedelta(0)), ("REQUEST_LIMIT_EXCEEDED", RETRY), ("OrgError", RETRY)],
)
def test_a_job_is_due_again_when_it_was_done_and_earlier_when_it_failed(
    timed: Inbox, clock: Clock, outcome: str, pause: timedelta
) -> None:
    run = timed.begin_run("refresh", HOUR, "a")
    assert run is not None
    assert timed.end_run(run, outcome, 0)
    if pause:
        clock.elapse((pause - MOMENT).total_seconds())
        assert timed.begin_run("refresh", HOUR, "b") is None
        clock.elapse(MOMENT.total_seconds())
    assert timed.begin_run("refresh", HOUR, "b") is not None


def test_another_job_has_a_time_of_its_own(timed: Inbox) -> None:
    assert timed.begin_run("refresh", HOUR, "a") is not None
    assert timed.begin_run("reconcile", HOUR, "a") is not None
    assert [run.job for run in timed.scheduled_runs()] == ["reconcile", "refresh"]


def test_a_run_of_a_killed_process_is_taken_over_and_a_running_one_is_not(timed: Inbox, clock: Clock) -> None:
    run = timed.begin_run("refresh", HOUR, "a")
    assert run is not None
    clock.elapse((LEASE - MOMENT).total_seconds())
    assert timed.renew_run(run)
    clock.elapse((LEASE - MOMENT).total_seconds())
    assert timed.begin_run("refresh", HOUR, "b") is None
    clock.elapse(MOMENT.total_seconds())
    second_run = timed.begin_run("refresh", HOUR, "b")
    assert second_run is not None
    assert not timed.renew_run(run)
    assert not timed.end_run(run, DONE, 5)
    assert timed.end_run(second_run, DONE, 7)
    assert [(scheduled_run.holder, scheduled_run.queued) for scheduled_run in timed.scheduled_runs()] == [("b", 7)]


def test_a_run_whose_setting_was_deleted_by_hand_is_neither_renewed_nor_ended(timed: Inbox) -> None:
    run = timed.begin_run("refresh", HOUR, "a")
    assert run is not None
    with timed._database.write() as tx:
        tx.db.exec_driver_sql("DELETE FROM relay_settings")
    assert not timed.renew_run(run)
    assert not timed.end_run(run, DONE, 3)
    assert timed.scheduled_runs() == ()


def test_a_run_that_has_ended_is_not_ended_again_nor_in_place_of_a_later_run(timed: Inbox, clock: Clock) -> None:
    run = timed.begin_run("refresh", HOUR, "a")
    assert run is not None
    assert timed.end_run(run, DONE, 3)
    assert not timed.renew_run(run)
    assert not timed.end_run(run, STOPPED, 0)
    clock.elapse(HOUR.total_seconds())
    later_run = timed.begin_run("refresh", HOUR, "a")
    assert later_run is not None
    assert not timed.end_run(run, STOPPED, 0)
    assert timed.end_run(later_run, DONE, 5)
    assert [(ended.outcome, ended.queued) for ended in timed.scheduled_runs()] == [(DONE, 5)]
