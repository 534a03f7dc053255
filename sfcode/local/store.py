"""
The state of a local org: one crash-safe SQLite file.

An OrgTransaction is one transaction. All changes of a request are made in one transaction, so that a reader in any
process sees all of them or none.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from sfcode.local.database import StateFile, read_migrations
from sfcode.local.tables.base import KeyValueTable, Stored
from sfcode.local.tables.components import ComponentTable
from sfcode.local.tables.flows import FlowTable, StoredFlowVersion
from sfcode.local.tables.jobs import BulkJobTable, JobTable
from sfcode.local.tables.oauth import AppTable, GrantTable
from sfcode.local.tables.outbound import AutomationLogTable, NotificationTable
from sfcode.local.tables.records import Record, RecordTable, Scalar
from sfcode.local.tables.sessions import SessionTable

__all__ = ["OrgTransaction", "Record", "Scalar", "Store", "Stored", "StoredFlowVersion", "Undo", "open_store"]

NOT_CLEARED = ("session", "sqlite_sequence")
"""Tables that are not emptied when another company is loaded."""


class Undo(Exception):
    """Raised to roll back a transaction, which then ends without an error."""


class OrgTransaction:
    """One transaction over all tables of the org."""

    def __init__(self, db: sqlite3.Connection, row_locked: Callable[[str], bool] | None = None) -> None:
        self._db = db
        self.row_locked = row_locked or _never
        self.settings = KeyValueTable(db, "meta")
        self.flows = FlowTable(db, self.settings)
        self.components = ComponentTable(db, self.flows)
        self.records = RecordTable(db, self.settings)
        self.deploys = JobTable(db, "DeployRequest")
        self.retrieves = JobTable(db, "RetrieveRequest")
        self.bulk_jobs = BulkJobTable(db)
        self.apps = AppTable(db)
        self.grants = GrantTable(db)
        self.passwords = KeyValueTable(db, "password", "user_id", "hash")
        self.sessions = SessionTable(db)
        self.notifications = NotificationTable(db)
        self.automation_log = AutomationLogTable(db)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Open a savepoint; an exception undoes the changes since the savepoint."""
        self._db.execute("SAVEPOINT inner")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO inner")
            raise
        finally:
            self._db.execute("RELEASE inner")

    def clear(self) -> None:
        """Delete everything except the sessions, before another company is loaded."""
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table not in NOT_CLEARED:
                self._db.execute("DELETE FROM " + table)  # noqa: S608


def _never(_object_name: str) -> bool:
    return False


class Store(StateFile):
    """The state of an org. Safe to use from many threads and processes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, read_migrations(Path(__file__).with_name("tables")))
        self.committed = threading.Event()
        """Set by each transaction that wrote; the waiting thread clears it."""
        self.row_locked: Callable[[str], bool] = _never
        """Returns whether another transaction has locked the rows of an object that is about to be written."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[OrgTransaction]:
        """Open a write transaction, which excludes other writers. An exception rolls it back; only Undo is not raised again."""
        with contextlib.suppress(Undo), self.writing() as db:
            yield OrgTransaction(db, self.row_locked)
        self.committed.set()

    def index(self, fields: Collection[str]) -> None:
        """Create indexes for fields that queries use; skip it if another process is writing."""

        def make(db: sqlite3.Connection) -> None:
            for field in sorted(fields):
                OrgTransaction(db).records.make_index(field)

        if fields:
            self.write_if_idle(make)

    @contextlib.contextmanager
    def read(self) -> Iterator[OrgTransaction]:
        """Open a read transaction, which sees one consistent state."""
        with self.reading() as db:
            yield OrgTransaction(db)


def open_store(state: Path) -> Store:
    """Open the state in a folder; create the folder if needed."""
    return Store(state / "org.db")
