"""Databases of older versions: each step runs once, and keeps the data."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, Unavailable, open_inbox, subjects
from sfcode.relay.inbox import migrations as module
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.migrations import HISTORY, Migration
from tests.relay.inbox.samples import message, states
from tests.waiting import PATIENCE

OWN = [migration.name for migration in HISTORY]
MORE = (
    Migration("more", ("CREATE TABLE relay_more (id {id}, at {moment}, name {text})",)),
    Migration("a column", ("ALTER TABLE relay_more ADD COLUMN note {text}",)),
)
ROWS = 1_500
"""The number of rows, which is more than a step reads at once."""


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return a database without tables, since the creation of tables is tested here."""
    return empty_database_url


def applied(inbox: Inbox) -> list[tuple[int, str]]:
    with inbox._database.read() as tx:
        rows = tx.db.execute(sa.text("SELECT version, name FROM relay_migrations ORDER BY version"))
        return [(row.version, row.name) for row in rows]


@pytest.mark.parametrize("create", [True, False])
def test_an_older_database_is_brought_to_this_version_and_keeps_its_messages(
    database_url: str, monkeypatch: pytest.MonkeyPatch, create: bool
) -> None:
    with open_inbox(database_url) as inbox:
        inbox.accept([message(1)])
    monkeypatch.setattr(module, "HISTORY", (*HISTORY, *MORE))
    for _ in range(2):
        with open_inbox(database_url, create=create) as inbox:
            assert states(inbox) == {1: "ready"}
            assert applied(inbox) == list(enumerate([*OWN, "more", "a column"], 1))
            with inbox._database.read() as tx:
                columns = [column["name"] for column in sa.inspect(tx.db).get_columns("relay_more")]
            assert columns == ["id", "at", "name", "note"]


def test_a_new_database_goes_through_every_step(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HISTORY", (*HISTORY, *MORE))
    with open_inbox(database_url) as inbox:
        assert [name for _, name in applied(inbox)] == [*OWN, "more", "a column"]


def test_steps_before_the_one_that_fails_stay(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_step = Migration("broken", ("CREATE NONSENSE",))
    monkeypatch.setattr(module, "HISTORY", (*HISTORY, MORE[0], failing_step))
    with pytest.raises(module.Refused, match="NONSENSE"):
        open_inbox(database_url)
    monkeypatch.setattr(module, "HISTORY", (*HISTORY, *MORE))
    with open_inbox(database_url) as inbox:
        assert [name for _, name in applied(inbox)] == [*OWN, "more", "a column"]


def test_a_step_has_the_time_at_which_it_was_applied(inbox: Inbox) -> None:
    with inbox._database.read() as tx:
        times = tx.db.scalars(sa.select(module.MIGRATIONS.c.applied_at)).all()
        assert len(times) == len(HISTORY)
        assert all(0 <= (tx.now - at).total_seconds() < 600 for at in times)


def test_a_migration_that_is_killed_halfway_continues(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is executed completely or not at all, and completed steps are not repeated."""
    monkeypatch.setattr(module, "HISTORY", HISTORY[:1])
    with open_inbox(database_url) as inbox, inbox._database.write() as tx:
        row = (
            "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at,"
            " received_at, finished_at) VALUES ('appcues', :id, :key, 'k', '{}', 'done', '', '', 1, :now, :now, :now)"
        )
        now = tx.now.isoformat()
        tx.db.execute(sa.text(row), [{"id": f"m{at}", "key": f"user:{at}", "now": now} for at in range(ROWS)])
    program = [sys.executable, str(Path(__file__).with_name("worker.py")), "migrate", database_url, str(ROWS - 1)]
    assert subprocess.run(program, timeout=PATIENCE, check=False).returncode == -signal.SIGKILL
    monkeypatch.setattr(module, "HISTORY", HISTORY)
    with open_inbox(database_url) as inbox:
        assert [name for _, name in applied(inbox)] == OWN
        assert inbox.stats().count("done") == ROWS
        entries = inbox.page(Filter(subject=f"user:{ROWS - 1}"), 10)
        assert [entry.message_id for entry in entries] == [f"m{ROWS - 1}"]


def test_a_large_inbox_is_migrated_while_processes_of_the_older_version_write(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between two pieces the migration holds no locks.

    Messages that other processes add are migrated too, and an interruption is repaired.
    """
    insert = (
        "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at,"
        " received_at, finished_at) SELECT 'appcues', %s || n, 'user:' || n, 'k', '{}', 'done', '', '', 1, now(), now(),"
        " now() FROM generate_series(1, %s) AS n"
    )
    monkeypatch.setattr(module, "HISTORY", HISTORY[:1])
    with open_inbox(postgres_url), psycopg.connect(postgres_url) as db:
        db.execute(insert, ["m", 30])
    place, step = next((place, step) for place, step in enumerate(HISTORY) if step.fill)
    pieces: list[int] = []

    def fill(tx: Transaction, last: int) -> int | None:
        with psycopg.connect(postgres_url) as older:
            older.execute("SET lock_timeout = '500ms'")
            older.execute(insert, [f"late{len(pieces)}-", 1])
        pieces.append(last)
        if len(pieces) == 2:
            raise ZeroDivisionError
        assert step.fill is not None
        return step.fill(tx, last)

    history = (*HISTORY[:place], step._replace(fill=fill), *HISTORY[place + 1 :])
    monkeypatch.setattr(module, "HISTORY", history)
    monkeypatch.setattr(module, "LARGE", 20)
    monkeypatch.setattr(subjects, "AT_ONCE", 20)
    with pytest.raises(ZeroDivisionError):
        open_inbox(postgres_url)
    with open_inbox(postgres_url) as inbox:
        assert [name for _, name in applied(inbox)] == OWN
        assert inbox.stats().count("done") == 30 + len(pieces)
        assert len(inbox.page(Filter(subject="user:1"), 100)) == 1 + len(pieces)
        assert len(inbox.page(Filter(subject="user:30"), 100)) == 1
    assert pieces == [0, 20, 0]


def test_a_step_moves_rows_in_its_transaction(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moved rows are alarms that an older version stored in a setting."""
    monkeypatch.setattr(module, "HISTORY", HISTORY[:1])
    with open_inbox(database_url) as inbox:
        inbox.remember("alarms", '[{"name": "a", "detail": "x \\"y\\"", "at": "1", "times": 3}]')
    monkeypatch.setattr(module, "HISTORY", HISTORY)
    with open_inbox(database_url) as inbox:
        assert [(alarm.name, alarm.detail, alarm.times) for alarm in inbox.alarms()] == [("a", 'x "y"', 3)]
        assert inbox.recall("alarms") is None


def test_the_audit_of_an_older_version_is_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = next(place for place, step in enumerate(HISTORY) if "audit" in step.name)
    monkeypatch.setattr(module, "HISTORY", HISTORY[:step])
    replay = (
        '{"at": "2026-03-02T10:00:00+01:00", "by": "ann@host", "action": "replay", "messages": 12, "reason": "locked"}'
    )
    forget = '{"at": "2026-04-02T09:00:00+00:00", "user_sha256": "5eed", "messages": 3, "states": 2}'
    with open_inbox(database_url) as inbox:
        inbox.remember("audit:1", replay)
        inbox.remember("audit:2", forget)
        inbox.remember("auditor", "kept")
    monkeypatch.setattr(module, "HISTORY", HISTORY)
    with open_inbox(database_url) as inbox:
        lines = [(line.at, line.who, line.action, dict(line.selection), line.number) for line in inbox.audit_lines()]
        assert lines == [
            (datetime(2026, 4, 2, 9, tzinfo=UTC), "", "forget", {"user_sha256": "5eed", "states": 2}, 3),
            (datetime(2026, 3, 2, 9, tzinfo=UTC), "ann@host", "replay", {"reason": "locked"}, 12),
        ]
        assert [inbox.recall(name) for name in ("audit:1", "audit:2", "auditor")] == [None, None, "kept"]


def test_a_database_that_answers_and_takes_no_writes_is_unavailable(inbox: Inbox) -> None:
    statements = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET default_transaction_read_only = on"}
    with inbox._database.write() as tx:
        sqlite = tx.db.dialect.name == "sqlite"
        tx.db.exec_driver_sql(statements[tx.db.dialect.name])
    with pytest.raises(Unavailable, match="readonly" if sqlite else "read only"):
        inbox.check_writable()
    assert inbox.stats().counts == {}
    if not sqlite:
        inbox.check_writable()  # again, in a new session, as after a failover


def test_a_check_leaves_no_message_and_no_lane(inbox: Inbox) -> None:
    inbox.check_writable()
    stats = inbox.stats()
    assert (stats.counts, stats.waiting) == ({}, {})
    writable_at = inbox.recall("writable_at")
    assert writable_at is not None
    assert f"{stats.now - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}" < writable_at <= f"{stats.now:%Y-%m-%dT%H:%M:%SZ}"
