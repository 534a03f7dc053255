"""The relay: durable accepts, calls to Salesforce, a backlog, and the time from a webhook to its Event."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from benchmarks.measure import ROOT
from benchmarks.relay_server import WEBHOOK
from sfcode.relay.inbox import open_inbox
from sfcode.relay.message import InboxMessage
from tests.relay import postgres
from tests.relay.e2e import traffic
from tests.relay.e2e.sender import Connection, Sender
from tests.relay.e2e.world import World, world
from tests.waiting import until

REQUESTS = {1: 200, 64: 2_000}
"""The number of requests in one turn, by number of clients."""
WARM_UP = 64
TURNS = 9
BACKLOG = 100_000
UNDER_LOAD = 5_000
PEOPLE = 1_000
IDLE = 15
CALLS = "sfcode_relay_calls_total"
PATH = f"/webhooks/appcues/{WEBHOOK}"
_NUMBERS = itertools.count(0, 100_000)
"""The first event number of each run: the relay would not store an event again that was sent before."""

Databases = dict[str, Callable[[], str]]


def tables() -> str:
    """Measure everything and return the tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sfcode-bench-")))
        server = stack.enter_context(postgres.server())
        files = iter(range(1000))
        databases: Databases = {
            "SQLite": lambda: f"sqlite:///{folder / f'{next(files)}.db'}",
            "PostgreSQL": lambda: stack.enter_context(postgres.schema(server)),
        }
        return "\n\n".join([_accepts(databases), _backlog(databases), _far_side(folder, databases["SQLite"]())])


class Accepted(NamedTuple):
    """The rate and the latencies of answered requests: per second, and in seconds."""

    per_second: float
    p50: float
    p99: float


def _accepts(databases: Databases) -> str:
    """
    Compare servers that store events with the same server that stores nothing, in short turns: A B C A B C.

    Each turn is compared with the neighboring turn of the server that stores nothing, and the median of these ratios is
    reported, since any other load of the machine slows down neighboring turns alike. A turn is long enough that its
    messages are claimed and delivered meanwhile.
    """
    lines = [
        "| webhooks | clients | answered per second | of not storing | p50 | p99 | times that of not storing |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    turns: defaultdict[tuple[str, int], list[Accepted]] = defaultdict(list)
    with ExitStack() as stack:
        bare = "not stored"
        ports = {bare: stack.enter_context(_serving(databases["SQLite"](), "--forget"))}
        ports |= {f"durable in {name}": stack.enter_context(_serving(make())) for name, make in databases.items()}
        for port in ports.values():
            asyncio.run(_post(port, WARM_UP, WARM_UP))
        for clients, count in REQUESTS.items():
            for _ in range(TURNS):
                for title, port in ports.items():
                    turns[title, clients].append(asyncio.run(_post(port, clients, count)))
                    _wait_until_delivered(port)
    for (title, clients), accepted in turns.items():
        middle = _medians(accepted)
        beside = _medians([_ratios(*pair) for pair in zip(accepted, turns[bare, clients], strict=True)])
        latency = f"{middle.p50 * 1000:.1f} ms | {middle.p99 * 1000:.1f} ms | {beside.p99:.1f}"
        lines.append(f"| {title} | {clients} | {middle.per_second:,.0f} | {beside.per_second:.2f} | {latency} |")
    return "\n".join(lines)


def _ratios(stored: Accepted, bare: Accepted) -> Accepted:
    return Accepted(*(figure / other for figure, other in zip(stored, bare, strict=True)))


def _medians(turns: Sequence[Accepted]) -> Accepted:
    return Accepted(*(statistics.median(figures) for figures in zip(*turns, strict=True)))


def _wait_until_delivered(port: int) -> None:
    """Wait until a server has delivered its messages, since its deliveries would slow down the next server."""
    accepted = _metric(port, "sfcode_relay_accepted_total")
    until(lambda: _delivered(port) == accepted, "delivered messages", 60)


async def _post(port: int, clients: int, count: int) -> Accepted:
    """Send webhooks; each client sends the next one after its last response."""
    first = next(_NUMBERS)
    numbers = iter(range(first, first + count))
    times: list[float] = []

    async def client() -> None:
        connection = Connection(port)
        for number in numbers:
            start = time.perf_counter()
            status, _ = await connection.post(PATH, _event(number), soap=False)
            times.append(time.perf_counter() - start)
            if status != 200:
                raise SystemExit(f"a webhook was answered {status}")
        await connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    cuts = statistics.quantiles(times, n=100)
    return Accepted(count / (time.perf_counter() - started), cuts[49], cuts[98])


def _event(number: int) -> bytes:
    timestamp = f"2026-06-01T08:00:00.{number % 1000:03}Z"
    event = {
        "name": "appcues:flow_completed",
        "user_id": f"u{number}",
        "timestamp": timestamp,
        "attributes": {"n": number},
    }
    return json.dumps(event).encode()


def _backlog(databases: Databases) -> str:
    lines = ["| backlog | messages | delivered per second |", "| --- | ---: | ---: |"]
    for name, make in databases.items():
        url = make()
        with open_inbox(url) as inbox:
            for start in range(0, BACKLOG, 1000):
                inbox.accept(
                    [
                        InboxMessage(
                            "appcues",
                            f"m{number}",
                            f"user:{number % 10_000}",
                            "appcues:flow_completed",
                            {"event": {"n": number}},
                        )
                        for number in range(start, start + 1000)
                    ]
                )
            started = time.perf_counter()
            with _serving(url) as port:
                until(lambda: _delivered(port) == BACKLOG, "an empty inbox", 600)
                seconds = time.perf_counter() - started
        lines.append(f"| {name}, far side that says yes at once | {BACKLOG:,} | {BACKLOG / seconds:,.0f} |")
    return "\n".join(lines)


def _far_side(folder: Path, database: str) -> str:
    with world(folder, database) as around:
        contacts = around.contacts(traffic.users(PEOPLE))
        relay = around.ready()
        rng = random.Random(1)  # noqa: S311 (a measurement can be repeated)
        posts = traffic.webhooks(rng, UNDER_LOAD, list(contacts), around.webhook_path, traffic.Expected())
        before = _metric(relay.port, CALLS, 'side="salesforce"')
        started = time.perf_counter()
        asyncio.run(Sender([relay.port], rng, twice=0.0).send(posts, lanes=16, per_second=1e6))
        until(lambda: _delivered(relay.port) == UNDER_LOAD, "an empty inbox", 600)
        seconds = time.perf_counter() - started
        calls = _metric(relay.port, CALLS, 'side="salesforce"') - before
        idle = sorted(
            _to_event(around, relay.port, number, contact)
            for number, contact in enumerate(list(contacts.values())[:IDLE])
        )
        relay.terminate()
        relay.ended()
    lines = [
        "| through the local org, on SQLite | figure |",
        "| --- | ---: |",
        f"| calls to Salesforce per 1,000 webhooks, {UNDER_LOAD:,} as fast as they come | {calls / UNDER_LOAD * 1000:.1f} |",
        f"| webhooks that became Events, per second | {UNDER_LOAD / seconds:,.0f} |",
        f"| from sending a webhook to its committed Event, when idle: median | {statistics.median(idle) * 1000:.0f} ms |",
        f"| the slowest of {IDLE} | {idle[-1] * 1000:.0f} ms |",
    ]
    return "\n".join(lines)


def _to_event(around: World, port: int, number: int, contact: str) -> float:
    """Send a webhook to an idle relay, and wait until its Event exists."""
    user = traffic.users(number + 1)[-1]
    query = f"SELECT COUNT() FROM Event WHERE WhoId = '{contact}'"  # noqa: S608 (an ID of our own making)
    url = f"{around.far.url}/services/data/v63.0/query"

    def count() -> int:
        return int(around.far.org.get(url, params={"q": query}, timeout=20).json()["totalSize"])

    time.sleep(1.5)  # waits until the relay is idle
    before = count()
    event = {"name": "appcues:flow_completed", "user_id": user, "timestamp": "2026-07-01T08:00:00Z", "attributes": {}}

    async def post() -> None:
        connection = Connection(port)
        await connection.post(around.webhook_path, json.dumps(event).encode(), soap=False)
        await connection.close()

    start = time.perf_counter()
    asyncio.run(post())
    while count() == before:
        time.sleep(0.002)
    return time.perf_counter() - start


def _delivered(port: int) -> int:
    return _metric(port, "sfcode_relay_delivered_total")


def _metric(port: int, name: str, label: str = "") -> int:
    """Sum a counter of a relay over all labels, or over those that contain a text."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    lines = (line for line in text.splitlines() if line.startswith(f"{name}{{") and label in line)
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


@contextmanager
def _serving(database: str, *options: str) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.relay_server", database, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if process.stdout is None:
            raise AssertionError
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=60)
