"""Several workers on one inbox: the order of each key, and the messages of a killed worker."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest
import sqlalchemy as sa
from typing_extensions import override

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.inbox.dialects import T
from sfcode.relay.inbox.inbox_clock import InboxClock
from sfcode.relay.inbox.postgresql import Postgresql
from sfcode.relay.message import ClaimedMessage, Delivered, Delivery, Retry
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, message, numbers, settle, states, take
from tests.waiting import PATIENCE

WORKER = Path(__file__).with_name("worker.py")
KEYS = 6


class Unlocked(Postgresql):
    """PostgreSQL without the lock on lanes."""

    @override
    def for_update_skip_locked(self, query: sa.Select[T]) -> sa.Select[T]:
        return query


class Watch:
    """Observes deliveries, and counts deliveries of a key that overlap or are out of order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy: set[str] = set()
        self.last: dict[str, int] = defaultdict(lambda: -1)
        self.violations = 0
        self.until = time.monotonic() + 60

    def begin(self, message: ClaimedMessage) -> None:
        with self.lock:
            self.violations += message.key in self.busy or message.payload["number"] < self.last[message.key]
            self.busy.add(message.key)

    def end(self, message: ClaimedMessage, *, done: bool) -> None:
        with self.lock:
            self.busy.discard(message.key)
            if done:
                self.last[message.key] = max(self.last[message.key], message.payload["number"])


def work(inbox: Inbox, watch: Watch, together: threading.Barrier, seed: int) -> None:
    """Deliver until no message is left; one in five deliveries fails and is retried at once."""
    rng = random.Random(seed)
    together.wait()
    while (claim := inbox.claim("appcues", limit=KEYS, per_key=1, lease=60)) or inbox.stats().oldest:
        if watch.violations or time.monotonic() > watch.until:
            return  # without the lock, messages may be left without a lane
        if claim is None:
            continue
        ends: dict[int, Delivered | Retry] = {}
        for claimed in claim.messages:
            watch.begin(claimed)
            threading.Event().wait(rng.random() / 1000)  # lets other threads run
            ends[claimed.id] = Retry("503") if rng.random() < 0.2 else Delivered()
            watch.end(claimed, done=isinstance(ends[claimed.id], Delivered))
        inbox.settle(claim, Delivery(ends), lambda _, __: timedelta())


def violations(inboxes: list[Inbox], rows: int, start: int = 0) -> int:
    """Deliver messages of a few keys with one worker for each inbox; return the violations of their order."""
    inboxes[0].accept([message(start + number, f"user:{number % KEYS}") for number in range(rows)])
    watch, together = Watch(), threading.Barrier(len(inboxes))
    with ThreadPoolExecutor(len(inboxes)) as pool:
        for future in [pool.submit(work, inbox, watch, together, seed) for seed, inbox in enumerate(inboxes)]:
            future.result()
    return watch.violations


def test_workers_keep_the_order_of_each_key(database_url: str) -> None:
    with contextlib.ExitStack() as stack:
        inboxes = [stack.enter_context(open_inbox(database_url)) for _ in range(4)]
        assert violations(inboxes, 150) == 0
        assert set(states(inboxes[0]).values()) == {"done"}


def test_without_the_lock_the_order_breaks(postgres_url: str) -> None:
    """Without the lock, the test above would fail."""
    open_inbox(postgres_url).close()
    url = sa.make_url(postgres_url).set(drivername="postgresql+psycopg")
    with contextlib.ExitStack() as stack:
        inboxes = [stack.enter_context(Inbox(Unlocked(url, InboxClock(), boot_time, 30.0))) for _ in range(4)]
        assert any(violations(inboxes, 60, 1000 * attempt) for attempt in range(20))


@contextlib.contextmanager
def worker(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    process = subprocess.Popen(
        [sys.executable, str(WORKER), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_processes_keep_the_order_of_each_key(database_url: str) -> None:
    with open_inbox(database_url) as inbox, contextlib.ExitStack() as stack:
        inbox.accept([message(number, f"user:{number % KEYS}") for number in range(180)])
        workers = [stack.enter_context(worker("drain", database_url, str(seed))) for seed in range(3)]
        for _, output in workers:
            assert json.loads(output.readline()) == "ready"
        for process, _ in workers:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        each_told = [
            [json.loads(line) for line in process.communicate(timeout=PATIENCE)[0].splitlines()]
            for process, _ in workers
        ]
    assert all(each_told), "one alone is always in order"
    reports = list(itertools.chain.from_iterable(each_told))
    assert sorted(number for _, number, _, _ in reports) == list(range(180))
    for key in {key for key, _, _, _ in reports}:
        own_reports = sorted((number, began, ended) for of, number, began, ended in reports if of == key)
        apart = [before[2] <= after[1] or before[1:] == after[1:] for before, after in itertools.pairwise(own_reports)]
        assert all(apart), "one message of a key after the other, or both in one claim"


def test_messages_of_a_killed_process_are_delivered_by_another(database_url: str, inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(number, f"user:{number % 40}") for number in range(120)])
    with worker("hold", database_url, "100") as (process, output):
        held_numbers = json.loads(output.readline())
        assert len(held_numbers) == 80
        process.kill()
        process.wait()
        assert idle(inbox), "nobody knows yet that it is dead"
        elapse(600)
        claim = take(inbox, limit=200, per_key=3)
        assert numbers(claim) == list(range(120))
        assert settle(inbox, claim) == 120


@pytest.mark.parametrize("size", [1, 20])
def test_messages_acknowledged_by_a_killed_process_are_stored(database_url: str, size: int) -> None:
    with worker("accept", database_url, str(size)) as (process, output):
        for _ in range(30):
            safe = int(output.readline())
        process.kill()
        safe = max([safe, *map(int, output.read().splitlines())])
    with open_inbox(database_url) as inbox:
        stored_numbers = sorted(states(inbox))
        assert stored_numbers == list(range(len(stored_numbers))), "whole calls, in their order"
        assert len(stored_numbers) % size == 0
        assert len(stored_numbers) >= safe >= 30 * size
