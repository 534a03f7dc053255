"""
Failures during deliveries: relays are killed and suspended, and their database is restarted, locked and read for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

import psycopg

from tests.relay.e2e.world import Relay, World
from tests.relay.postgres import OwnServer
from tests.waiting import PATIENCE, until

LEASE = 5.0
"""The lease of a claim in seconds."""
FROZEN = LEASE + 1.0
"""Seconds for which a relay is suspended; afterwards it has lost its leases."""
LOCKED = 2.0
"""Seconds for which an idle transaction holds its locks, which is longer than other transactions wait for them."""
STARTED = 0.7
"""The share of kills that wait until the relay answers; the others may come while it starts."""
LANES = 20
"""The number of lanes that an idle transaction locks."""

Mode = Literal["fast", "immediate"]


class Database(Protocol):
    """A database, and ways to disturb it."""

    url: str

    def lock(self) -> None:
        """Keep an idle transaction open that holds locks."""

    def read(self) -> contextlib.AbstractContextManager[None]:
        """Keep a transaction open that has read, so that its snapshot must be preserved."""

    def restart(self, mode: Mode) -> None:
        """Restart the server of the database, if there is one."""


class SqliteFile:
    """The file of an SQLite database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _connect(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(
            sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=PATIENCE, isolation_level=None)
        )

    def lock(self) -> None:
        """Lock the whole file."""
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            time.sleep(LOCKED)

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """Prevent SQLite from truncating the file's log."""
        with self._connect() as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield

    def restart(self, mode: Mode) -> None:
        """Do nothing, since SQLite has no server."""


class PostgresqlServer:
    """A PostgreSQL server of the test's own."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self.url = server.url

    def lock(self) -> None:
        """Lock some lanes until the transaction ends or the server restarts."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url) as db:
            db.execute(f"SELECT name FROM relay_lanes ORDER BY random() LIMIT {LANES} FOR UPDATE")
            time.sleep(LOCKED)

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """Prevent the server from removing old versions of rows, until the transaction ends or the server restarts."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url) as db:
            db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            db.execute("SELECT count(*) FROM pg_class")
            yield

    def restart(self, mode: Mode) -> None:
        """Restart the server."""
        self._server.restart(mode)


class Trouble:
    """Keeps relays running at some ports, and disturbs them in an order that a seed determines."""

    def __init__(self, around: World, database: Database, ports: Sequence[int], rng: random.Random) -> None:
        self._around = around
        self._database = database
        self._rng = rng
        self._relays = {port: self._start(port) for port in ports}
        self._frozen: set[int] = set()
        self.tally: Counter[str] = Counter()

    async def make(self, kills: int, freezes: int, restarts: Sequence[Mode], locks: int) -> None:
        """Cause a number of failures of each kind, several kinds at a time."""
        with self._database.read():
            async with asyncio.TaskGroup() as group:
                group.create_task(self._kill(kills))
                group.create_task(self._freeze(freezes))
                group.create_task(self._disturb(restarts, locks))
        for port in self._relays:
            await _answered(self._relays[port])
            while not self._relays[port].runs:
                self._start_again(port)
                await _answered(self._relays[port])

    async def _kill(self, times: int) -> None:
        while self.tally["kills"] < times:
            port = await self._choose()
            relay = self._relays[port]
            if self._rng.random() < STARTED:
                await _answered(relay)
            await asyncio.sleep(self._rng.uniform(0.0, 0.6))
            if port in self._frozen or self._relays[port] is not relay:
                continue
            if relay.runs:
                relay.kill()
                self.tally["kills"] += 1
            else:
                self._start_again(port)
                continue
            await asyncio.to_thread(relay.ended)
            self._relays[port] = self._start(port)

    def _start_again(self, port: int) -> None:
        """Restart a relay that ended because the database server restarted, as a supervisor does."""
        output = self._relays[port].text()[-3000:]
        assert self.tally["restarts"], f"the relay at port {port} ended by itself:\n{output}"
        assert "relay's database" in output, output
        self.tally["starts that failed"] += 1
        self._relays[port] = self._start(port)

    async def _freeze(self, times: int) -> None:
        while self.tally["freezes"] < times:
            port = await self._choose()
            relay = self._relays[port]
            await _answered(relay)
            if not relay.runs or self._relays[port] is not relay:
                continue
            self._frozen.add(port)
            with relay.frozen():
                await asyncio.sleep(FROZEN)
            self._frozen.remove(port)
            self.tally["freezes"] += 1

    async def _disturb(self, restarts: Sequence[Mode], locks: int) -> None:
        kinds: list[Mode | Literal["lock"]] = [*restarts, *(["lock"] * locks)]  # type: ignore[list-item]
        self._rng.shuffle(kinds)
        for kind in kinds:
            await asyncio.sleep(self._rng.uniform(0.2, 1.0))
            if kind == "lock":
                await asyncio.to_thread(self._database.lock)
                self.tally["idle transactions"] += 1
            else:
                self.tally["restarts"] += 1
                await asyncio.to_thread(self._database.restart, kind)

    async def _choose(self) -> int:
        """Choose a port whose relay is not suspended, if there is one."""
        while not (ports := sorted(self._relays.keys() - self._frozen)):  # noqa: ASYNC110 (another task thaws one)
            await asyncio.sleep(0.05)
        return self._rng.choice(ports)

    def _start(self, port: int) -> Relay:
        return self._around.relay(port, "--lease", f"{LEASE:.0f}")


async def _answered(relay: Relay) -> None:
    """Wait until a relay answers, or has ended."""
    await asyncio.to_thread(until, lambda: relay.answers() or not relay.runs, "an answer of a relay")
