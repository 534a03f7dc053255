"""Readiness checks of many concurrent requests."""

from __future__ import annotations

import asyncio
import threading

import psycopg
import pytest

from sfcode.relay.health import FRESH_SECONDS, WriteCheck
from sfcode.relay.inbox import Unavailable, open_inbox
from tests.waiting import PATIENCE


class Checked:
    """A write check that counts its calls, and fails or hangs on request."""

    def __init__(self) -> None:
        self.times = 0
        self.fails = False
        self.go = threading.Event()
        self.go.set()

    def check_writable(self) -> None:
        self.times += 1
        self.go.wait(PATIENCE)
        if self.fails:
            raise Unavailable("away")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_concurrent_requests_share_a_check_whose_result_is_cached_briefly() -> None:
    checked, clock = Checked(), Clock()

    async def act() -> None:
        check = WriteCheck(checked, clock)
        assert all(await asyncio.gather(*(check.is_writable() for _ in range(50))))
        checked.fails = True
        assert await check.is_writable()
        assert checked.times == 1
        clock.now += FRESH_SECONDS
        assert not await check.is_writable()
        checked.fails = False
        assert not await check.is_writable()
        clock.now += FRESH_SECONDS
        assert await check.is_writable()
        assert checked.times == 3

    asyncio.run(act())


def test_a_database_that_does_not_answer_occupies_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfcode.relay.health.WRITE_SECONDS", 0.05)
    checked, clock = Checked(), Clock()

    async def act() -> None:
        check = WriteCheck(checked, clock)
        checked.go.clear()
        for _ in range(3):
            clock.now += 2 * FRESH_SECONDS
            assert not any(await asyncio.gather(*(check.is_writable() for _ in range(20))))
        assert checked.times == 1
        checked.go.set()

    asyncio.run(act())


def test_a_process_that_is_frozen_in_its_check_does_not_make_the_others_unready(postgres_url: str) -> None:
    with open_inbox(postgres_url) as inbox, psycopg.connect(postgres_url) as frozen:
        inbox.check_writable()
        frozen.execute("UPDATE relay_settings SET value = 'x' WHERE name = 'writable_at'")
        inbox.check_writable()
