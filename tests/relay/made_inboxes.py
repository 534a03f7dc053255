"""
Inboxes that are created once and used by one test after the other, each time empty.

Otherwise every test would execute all migrations, which takes longer than most tests.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg

from sfcode.relay.inbox import open_inbox
from tests.relay.postgres import end_sessions, schema

CATALOG = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
  SELECT concat_ws(' ', 'table', relname, relpages, reltuples, reloptions) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
  UNION ALL SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull, attstattarget)
    FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
  UNION ALL SELECT concat_ws(' ', 'default', adrelid::regclass, adnum, pg_get_expr(adbin, adrelid))
    FROM pg_attrdef JOIN pg_class ON adrelid = pg_class.oid WHERE relnamespace = current_schema()::regnamespace
  UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN pg_class ON indrelid = pg_class.oid WHERE relnamespace = current_schema()::regnamespace
  UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
  UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(pg_trigger.oid), tgenabled)
    FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid WHERE relnamespace = current_schema()::regnamespace
  UNION ALL SELECT concat_ws(' ', 'function', pg_get_functiondef(oid))
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
  UNION ALL SELECT concat_ws(' ', 'statistics', tablename, attname) FROM pg_stats WHERE schemaname = current_schema()
  UNION ALL SELECT concat_ws(' ', 'sequence', sequencename, last_value) FROM pg_sequences
    WHERE schemaname = current_schema()
  UNION ALL SELECT concat_ws(' ', 'migration', version, name, applied_at) FROM relay_migrations
) AS lines(line)
"""
"""A query for everything, except rows of data, that determines how queries are answered and how fast."""

FILLED = """
SELECT oid::regclass::text FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'relay_migrations'
  AND pg_relation_size(oid) > 0
"""


class SqliteInbox:
    """An empty inbox in a file, to be copied."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "relay.db"
        with open_inbox(f"sqlite:///{self._file}"):
            pass

    def copy_to(self, folder: Path) -> str:
        """Return the URL of a copy in a folder."""
        return f"sqlite:///{shutil.copy(self._file, folder)}"


class PostgresqlInboxes:
    """Empty inboxes in schemas of a server, as many as the tests of this process use at once."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._free: list[_Inbox] = []

    @contextlib.contextmanager
    def take(self) -> Iterator[str]:
        """Return the URL of an empty inbox; an inbox whose tables were changed by a test is dropped."""
        inbox = self._find() or _Inbox(self._server)
        try:
            yield inbox.url
        finally:
            self._free.append(inbox)

    def _find(self) -> _Inbox | None:
        while self._free:
            inbox = self._free.pop()
            if inbox.is_as_new():
                return inbox
            inbox.drop()
        return None

    def close(self) -> None:
        """Drop the inboxes that no test uses."""
        while self._free:
            self._free.pop().drop()


class _Inbox:
    def __init__(self, server: str) -> None:
        with contextlib.ExitStack() as stack:
            self.url = stack.enter_context(schema(server))
            with open_inbox(self.url):
                pass
            with psycopg.connect(self.url, autocommit=True) as db:
                self._catalog = _read_catalog(db)
            self._made = stack.pop_all()

    def is_as_new(self) -> bool:
        """End the sessions that a test left, and delete all rows; return whether the tables are unchanged."""
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("SET lock_timeout = '60s'")
            end_sessions(db, db.info.parameter_status("application_name") or "")
            filled = [name for (name,) in db.execute(FILLED)]
            try:
                if filled:
                    db.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
                return _read_catalog(db) == self._catalog
            except (psycopg.errors.DeadlockDetected, psycopg.errors.UndefinedTable):
                return False

    def drop(self) -> None:
        self._made.close()


def _read_catalog(db: psycopg.Connection) -> str:
    row = db.execute(CATALOG).fetchone()
    assert row is not None
    return str(row[0])
