"""Work in the background that no exception ends."""

from __future__ import annotations

import asyncio

import pytest

from sfcode.relay import background, schedule
from sfcode.relay.background import repeat
from sfcode.relay.inbox import Inbox, Unavailable, open_inbox
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.schedule import Scheduler
from tests.waiting import until_async


class Work:
    """Work that fails in its first call."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self.calls == 1:
            raise Unavailable("The database does not answer.")


def test_a_failed_call_is_logged_and_followed_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    monkeypatch.setattr(background.log, "warning", lambda event, **_: events.append(event), raising=False)
    work = Work()

    async def run() -> None:
        task = asyncio.create_task(repeat(work, 0, "work_failed"))
        await until_async(lambda: task.done() or work.calls > 2)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert events == ["work_failed"]


def test_a_scheduler_outlives_a_database_that_does_not_answer(
    sqlite_inbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the relay would not be ready until its restart, and its field types would be refreshed no more."""
    reads: list[Inbox] = []

    def fail_once(inbox: Inbox) -> tuple[()]:
        reads.append(inbox)
        if len(reads) == 1:
            raise Unavailable("The database does not answer.")
        return ()

    monkeypatch.setattr(schedule, "POLL_SECONDS", 0)
    monkeypatch.setattr(Inbox, "scheduled_runs", fail_once)

    async def run(inbox: Inbox) -> None:
        scheduler = Scheduler(inbox, Instrumentation(), "a", list)
        task = asyncio.create_task(scheduler.run())
        await until_async(lambda: task.done() or len(reads) > 1)
        assert not task.done()
        task.cancel()
        await scheduler.stop()

    with open_inbox(sqlite_inbox_url) as inbox:
        asyncio.run(run(inbox))
