"""The relay's inbox with a million rows: searches of operators, the duration of a purge, and an idle process."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.measure import ROOT
from sfcode.relay.dashboard.messages import find_messages
from sfcode.relay.dashboard.overview import view
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from tests.relay import postgres

ROWS = 1_000_000
TIMES = 7
IDLE_SECONDS = 20.0
PAYLOAD = '{"event":{"name":"appcues:flow_completed","text":"' + "x" * 200 + '"},"user_id":"'
SLICE = 50_000
"""The number of rows that one statement inserts, since PostgreSQL ends a statement after a minute."""
ENGINES = {
    "sqlite": (
        "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
        "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-' || ((1000001 - n) / 100) || ' minutes')",
    ),
    "postgresql": (
        "WITH numbers AS (SELECT n FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n)",
        "now() - ((1000001 - n) / 100) * interval '1 minute'",
    ),
}
"""For each engine, the SQL that generates numbers, and the time of receipt of each number: a hundred rows a minute."""
FILL = """
INSERT INTO relay_inbox (source, message_id, key, subject, kind, payload, state, reason, detail, attempts, due_at, received_at,
finished_at) {numbers}
SELECT CASE WHEN mod(n, 3) = 0 THEN 'salesforce' ELSE 'appcues' END, 'm' || n, {user}, {user},
CASE WHEN mod(n, 3) = 0 THEN 'contact' WHEN mod(n, 100000) = 1 THEN 'appcues:rare' WHEN mod(n, 10) = 1 THEN 'appcues:nps_score'
ELSE 'appcues:flow_completed' END,
:payload || mod(n, 100000) || '"}}',
CASE WHEN mod(n, 1000) = 0 THEN 'dead' WHEN mod(n, 50) = 0 THEN 'parked' ELSE 'done' END,
CASE WHEN mod(n, 200000) = 0 THEN 'schema' WHEN mod(n, 1000) = 0 THEN 'gave_up' WHEN mod(n, 50) = 0 THEN 'unknown_user'
WHEN mod(n, 7) = 0 THEN 'discarded' ELSE '' END,
'', 1, {moment}, {moment}, {moment} FROM numbers
"""
USER = "CASE WHEN mod(n, 5) = 0 THEN 'user:busy' ELSE 'user:' || mod(n, 100000) END"
RECORDS = """
INSERT INTO relay_records (message, record)
SELECT id, CASE WHEN mod(id, 4) = 0 THEN 'busy' ELSE 'record' || mod(id, 100000) END
FROM relay_inbox WHERE id BETWEEN :first AND :last
"""
CONDITIONS: dict[str, tuple[str, ...]] = {
    "subject": ("user:busy", "user:777", "user:absent"),
    "record": ("busy", "record777", "absent"),
    "kind": ("appcues:flow_completed", "appcues:rare", "absent"),
    "reason": ("unknown_user", "schema", "absent"),
    "state": ("done", "dead", "leased"),
    "source": ("appcues", "salesforce"),
}
"""A common, a rare and an absent value of each condition."""


QUESTIONS: dict[str, Callable[[Inbox], Any]] = {
    "`relay status`": lambda inbox: (inbox.stats(), inbox.processes(), inbox.alarms()),
    "dashboard": view,
    "dashboard: messages of a reason": lambda inbox: find_messages(inbox, Filter(reason="unknown_user"), ROWS // 2),
    "dashboard: messages of a user": lambda inbox: find_messages(inbox, Filter(subject="user:777"), None),
    "dashboard: one message": lambda inbox: inbox.find(ROWS // 2),
    "dashboard: preview of a change": lambda inbox: inbox.count(Filter(reason="unknown_user")),
    "`relay list`": lambda inbox: inbox.page(Filter(), 20),
    "`relay list --user`": lambda inbox: inbox.page(Filter(subject="user:777"), 20),
    "`relay list --reason`": lambda inbox: inbox.page(Filter(reason="unknown_user"), 20),
    "`relay list --state dead`": lambda inbox: inbox.page(Filter(state="dead"), 20),
    "`relay list --since`, of which there is none": lambda inbox: inbox.page(
        Filter(since=datetime.now(UTC) + timedelta(days=1)), 20
    ),
    "a page of 500 rows in the middle": lambda inbox: inbox.page(
        Filter(), 500, inbox.page(Filter(ids=(ROWS // 2,)), 1)[0]
    ),
    "`relay forget --dry-run`": lambda inbox: inbox.find_person("777", ("records:user:777",)),
}


def table() -> str:
    """Measure both engines and return the figures as Markdown."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sfcode-bench-")))
        server = stack.enter_context(postgres.server())
        urls = (f"sqlite:///{folder / 'relay.db'}", stack.enter_context(postgres.schema(server)))
        lines = [f"| {ROWS:,} rows | SQLite | PostgreSQL |", "| --- | ---: | ---: |"]
        columns = [list(_figures(url)) for url in urls]
        lines += [f"| {name} | {first} | {second} |" for (name, first), (_, second) in zip(*columns, strict=True)]
        return "\n".join(lines)


def _figures(url: str) -> list[tuple[str, str]]:
    figures: list[tuple[str, str]] = []
    with open_inbox(url) as inbox:
        fill(inbox)
        for name, question in QUESTIONS.items():
            times = []
            for _ in range(TIMES):
                began = time.perf_counter()
                question(inbox)
                times.append(time.perf_counter() - began)
            figures.append((name, f"{statistics.median(times) * 1000:.1f} ms"))
        slowest, choice = combinations(inbox)[0]
        conditions = ", ".join(name for name in choice.__slots__ if getattr(choice, name) is not None)
        figures.append(
            ("the slowest search and count by one to three conditions", f"{slowest * 1000:.0f} ms ({conditions})")
        )
        figures.append(("an idle process, of one core", f"{_idle(url) * 100:.2f} %"))
        began = time.perf_counter()
        purged_count = inbox.purge({"done": timedelta(days=3)}, lambda _: None)
        figures.append(("purged per second, without pauses", f"{purged_count / (time.perf_counter() - began):,.0f}"))
    return figures


def combinations(inbox: Inbox) -> list[tuple[float, Filter]]:
    """Search by each combination of up to three conditions, also with a time; return the seconds, the slowest first."""
    hours = (None, datetime.now(UTC) - timedelta(days=3))
    times = []
    for number in (1, 2, 3):
        for names in itertools.combinations(CONDITIONS, number):
            for values in itertools.product(*(CONDITIONS[name] for name in names)):
                for until in hours:
                    choice = Filter(**dict(zip(names, values, strict=True)), until=until)  # type: ignore[arg-type]
                    began = time.perf_counter()
                    inbox.search(choice, 50)
                    inbox.count(choice)
                    times.append((time.perf_counter() - began, choice))
    return sorted(times, key=lambda entry: -entry[0])


def fill(inbox: Inbox, rows: int = ROWS) -> None:
    """Create rows of the last week: nearly all done, some parked or dead."""
    for first in range(1, rows, SLICE):
        with inbox._database.write() as tx:  # noqa: SLF001 (nothing else makes so many)
            numbers, moment = ENGINES[tx.db.dialect.name]
            statement = sa.text(
                FILL.format(numbers=numbers, moment=moment.replace(":", "\\:"), user=USER.replace(":", "\\:"))
            )
            piece = {"first": first, "last": first + SLICE - 1}
            tx.db.execute(statement, {**piece, "payload": PAYLOAD})
            tx.db.execute(sa.text(RECORDS), piece)
    inbox.merge_counts()


def _idle(url: str) -> float:
    """Return the share of a core that an idle process uses."""
    command = [sys.executable, "-m", "benchmarks.relay_server", url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if process.stdout is None:
            raise AssertionError
        process.stdout.readline()
        time.sleep(3)
        before = _seconds(process.pid)
        time.sleep(IDLE_SECONDS)
        return (_seconds(process.pid) - before) / IDLE_SECONDS
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _seconds(process: int) -> float:
    """Return the CPU time of a process from Linux."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(table())
