"""The relay's inbox alone: its commits compared with commits of the bare driver, and claims from backlogs of different shapes."""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks.measure import measure_time
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.message import Delivered, Delivery, InboxMessage, Retry
from tests.relay import postgres

BACKLOG = 100_000
WAITING = 80_000
BATCH = 200
TIMES = 15
PAYLOAD = {"event": {"name": "appcues:flow_completed", "attributes": {"flowId": "f" * 36, "text": "x" * 250}}}

Floor = Callable[[int], None]
"""Commits a number of rows with nothing but the database driver."""


def table() -> str:
    """Measure both engines and return the figures as Markdown."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sfcode-bench-")))
        server = stack.enter_context(postgres.server())
        files = iter(range(1000))

        def sqlite() -> str:
            return f"sqlite:///{folder / f'{next(files)}.db'}"

        def postgresql() -> str:
            return stack.enter_context(postgres.schema(server))

        lines = ["| inbox | SQLite | PostgreSQL |", "| --- | ---: | ---: |"]
        bare = sqlite().removeprefix("sqlite:///")
        columns = [_figures(sqlite, _sqlite_floor(stack, bare)), _figures(postgresql, _postgres_floor(stack, server))]
        lines += [f"| {name} | {first} | {second} |" for (name, first), (_, second) in zip(*columns, strict=True)]
        return "\n".join(lines)


def _figures(make: Callable[[], str], floor: Floor) -> Iterator[tuple[str, str]]:
    with open_inbox(make()) as inbox:
        numbers = iter(range(BACKLOG))
        for size, count in ((1, 400), (64, 60)):
            own_rate = _per_second(lambda: inbox.accept(_messages(numbers, size, BACKLOG)), size, count)  # noqa: B023
            bare = _per_second(lambda: floor(size), size, count)  # noqa: B023
            yield (
                f"accepted per second, {size} per commit (times the bare driver's inserts)",
                f"{own_rate:,.0f} ({own_rate / bare:.2f})",
            )
    for title, keys in (("as many users", BACKLOG), ("one user", 1)):
        with open_inbox(make()) as inbox:
            _fill(inbox, keys)
            claim, settle, size = _rounds(inbox)
            yield f"claim {size} of {BACKLOG:,} messages of {title}", f"{claim * 1000:.1f} ms"
            yield f"settle {size}", f"{settle * 1000:.1f} ms"
            if keys > 1:
                yield f"count {BACKLOG:,}", f"{measure_time(inbox.stats) * 1000:.0f} ms"
                _postpone(inbox)
                claim, _, size = _rounds(inbox)
                yield f"claim {size} while {WAITING:,} users wait for a retry", f"{claim * 1000:.1f} ms"


def _postpone(inbox: Inbox) -> None:
    """Postpone the oldest messages, so that they precede all messages that can be claimed."""
    for _ in range(0, WAITING, 2000):
        claim = inbox.claim("appcues", limit=2000, per_key=1, lease=600)
        if claim:
            inbox.settle(claim, Delivery({message.id: Retry("503") for message in claim.messages}), _in_an_hour)


def _rounds(inbox: Inbox) -> tuple[float, float, int]:
    claims, settles, size = [], [], 0
    for _ in range(TIMES):
        start = time.perf_counter()
        claim = inbox.claim("appcues", limit=BATCH, per_key=20, lease=60)
        claims.append(time.perf_counter() - start)
        if claim is None:
            raise SystemExit("nothing to claim")
        size = len(claim.messages)
        ends = Delivery({message.id: Delivered() for message in claim.messages})
        settles.append(measure_time(lambda: inbox.settle(claim, ends, lambda _, __: None)))  # noqa: B023
    return statistics.median(claims), statistics.median(settles), size


def _fill(inbox: Inbox, keys: int) -> None:
    numbers = iter(range(BACKLOG))
    for _ in range(0, BACKLOG, 1000):
        inbox.accept(_messages(numbers, 1000, keys))


def _messages(numbers: Iterator[int], count: int, keys: int) -> list[InboxMessage]:
    return [
        InboxMessage(
            "appcues", f"m{number}", f"user:{number % keys}", "appcues:flow_completed", {"number": number, **PAYLOAD}
        )
        for number, _ in zip(numbers, range(count), strict=False)
    ]


def _in_an_hour(*_: object) -> timedelta:
    return timedelta(hours=1)


def _per_second(call: Callable[[], object], size: int, count: int) -> float:
    call()
    return size * count / measure_time(lambda: [call() for _ in range(count)])


def _rows(count: int) -> list[tuple[str, str]]:
    return [("m", json.dumps(PAYLOAD)) for _ in range(count)]


def _sqlite_floor(stack: ExitStack, path: str) -> Floor:
    db = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE bare (id integer PRIMARY KEY, name text, payload text)")

    def write(count: int) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO bare (name, payload) VALUES (?, ?)", _rows(count))
        db.execute("COMMIT")

    return write


def _postgres_floor(stack: ExitStack, server: str) -> Floor:
    url = stack.enter_context(postgres.schema(server))
    db = stack.enter_context(psycopg.connect(url))
    db.execute("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, payload text)")
    db.commit()

    def write(count: int) -> None:
        with db.cursor() as cursor:
            cursor.executemany("INSERT INTO bare (name, payload) VALUES (%s, %s)", _rows(count))
        db.commit()

    return write


if __name__ == "__main__":
    print(table())
