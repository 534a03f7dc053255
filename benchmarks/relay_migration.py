"""The time to migrate the inbox of the first version, while a process of that version keeps writing."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks.measure import ROOT, measure_process
from benchmarks.relay_million import ENGINES, PAYLOAD
from sfcode.relay.inbox import migrations, open_inbox
from tests.relay import postgres

ROWS = 100_000
INSERT = "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at, received_at, finished_at)"
FILL = """
{insert} {numbers}
SELECT 'appcues', 'm' || n, 'user:' || mod(n, 10000), 'appcues:flow_completed', :payload || n || '"}}', 'done', '', '', 1, {moment}, {moment}, {moment}
FROM numbers
"""
WRITE = f"{INSERT} SELECT 'appcues', %s, 'user:1', 'k', '{{}}', 'done', '', '', 1, now(), now(), now()"
PAUSE = 0.02
"""Seconds between two writes of the older process."""


def table() -> str:
    """Measure both engines and return the figures as Markdown."""
    lines = ["| inbox | messages | took | CPU time of the process | peak memory | longest write beside it |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sfcode-bench-")))
        server = stack.enter_context(postgres.server())
        for name, url in {
            "SQLite": f"sqlite:///{folder / 'relay.db'}",
            "PostgreSQL": stack.enter_context(postgres.schema(server)),
        }.items():
            fill(url)
            with write_beside(url) as waits:
                usage = measure_process([sys.executable, "-m", "benchmarks.relay_migration", url], ROOT)
            longest = f"{max(waits):.1f} s" if waits else "not possible"
            cells = (
                f"{usage.seconds:.0f} s",
                f"{usage.cpu_seconds:.0f} s",
                f"{usage.peak_memory / 1e6:.0f} MB",
                longest,
            )
            lines.append(f"| {name} | {ROWS:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def fill(url: str) -> None:
    """Create the tables of the first version, with delivered messages."""
    history, migrations.HISTORY = migrations.HISTORY, migrations.HISTORY[:1]
    try:
        with open_inbox(url) as inbox, inbox._database.write() as tx:  # noqa: SLF001 (nothing else makes so many)
            numbers, moment = ENGINES[tx.db.dialect.name]
            statement = FILL.format(insert=INSERT, numbers=numbers, moment=moment.replace(":", "\\:"))
            tx.db.execute(sa.text(statement), {"first": 1, "last": ROWS, "payload": PAYLOAD})
    finally:
        migrations.HISTORY = history


@contextmanager
def write_beside(url: str) -> Iterator[list[float]]:
    """
    Insert messages during the block, as a process of the first version does; yield the list of the seconds of each insert.

    Nothing is inserted on SQLite, which has one writer.
    """
    waits: list[float] = []
    if not url.startswith("postgresql"):
        yield waits
        return
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(PAUSE):
                began = time.perf_counter()
                connection.execute(WRITE, [f"beside{len(waits)}"])
                waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        open_inbox(sys.argv[1]).close()
    else:
        print(table())
