"""
The state of a local org: one SQLite file, whole after every crash.

A Tx is one transaction. Everything that a request changes goes through a single one, so that a
reader, in this process or another, sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from sfcode.errors import SfcodeError
from sfcode.local.tables.bulk import BulkTable
from sfcode.local.tables.components import ComponentTable, Put, Stored
from sfcode.local.tables.flows import FlowTable, FlowVersion
from sfcode.local.tables.jobs import JobTable
from sfcode.local.tables.oauth import OAuthTable
from sfcode.local.tables.outbound import OutboundTable
from sfcode.local.tables.records import Record, RecordTable, Scalar
from sfcode.local.tables.schema import MIGRATIONS
from sfcode.local.tables.sessions import SessionTable

__all__ = ["FlowVersion", "Put", "Record", "Scalar", "Store", "Stored", "Tx"]

BUSY_SECONDS = 30.0


class Tx(BulkTable, ComponentTable, FlowTable, RecordTable, JobTable, OAuthTable, OutboundTable, SessionTable):
    """One transaction over all tables; a flow is seen as the component that its active (else newest) version is."""

    def __init__(self, db: sqlite3.Connection, row_locked: Callable[[str], bool] | None = None) -> None:
        super().__init__(db)
        self.row_locked = row_locked or _never

    def component(self, kind: str, full_name: str) -> Stored | None:
        """Find one component."""
        if kind != "Flow":
            return self.stored(kind, full_name)
        versions = self.flow_versions(full_name)
        return _seen(versions).stored if versions else None

    def components(self, kind: str | None = None) -> list[Stored]:
        """List the components of a type, or of all types, sorted by type and full name."""
        flows: dict[str, list[FlowVersion]] = {}
        if kind in (None, "Flow"):
            for version in self.flow_versions():
                flows.setdefault(version.full_name, []).append(version)
        others = [] if kind == "Flow" else self.all_stored(kind)
        found = others + [_seen(versions).stored for versions in flows.values()]
        return sorted(found, key=lambda stored: stored.component.address)

    def delete_component(self, kind: str, full_name: str) -> bool:
        """Delete a component, a flow with all its versions; say whether it was there."""
        return self._delete_flow(full_name) if kind == "Flow" else self.remove_stored(kind, full_name)

    def clear(self) -> None:
        """Forget everything but the sign-ins: the first step of loading another company."""
        for table in (
            "meta",
            "sequence",
            "component",
            "flow_version",
            "flow",
            "record",
            "job",
            "app",
            "oauth_grant",
            "bulk_content",
            "bulk_row",
            "password",
            "outbound_message",
            "automation_log",
        ):
            self._db.execute("DELETE FROM " + table)  # noqa: S608


def _never(_object_name: str) -> bool:
    return False


def _seen(versions: list[FlowVersion]) -> FlowVersion:
    return next((version for version in versions if version.status == "Active"), versions[-1])


class Store:
    """The file, and a pool of connections to it: usable from many threads and processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.committed = threading.Event()
        """Set by each transaction that wrote; whoever waits for it clears it."""
        self.row_locked: Callable[[str], bool] = _never
        """Tells whether somebody else holds the rows of an object that is about to be written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        with self._connection() as db:
            _migrate(db, path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Write: nobody else writes meanwhile; an exception undoes all of it."""
        with self._connection() as db, _begun(db, "BEGIN IMMEDIATE"):
            yield Tx(db, self.row_locked)
        self.committed.set()

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """Read one state of the org, whatever is written meanwhile."""
        with self._connection() as db, _begun(db, "BEGIN"):
            yield Tx(db)

    @property
    def closed(self) -> bool:
        """Tell whether it is time to stop."""
        return self._closed

    def close(self) -> None:
        """Close the connections; those in use close when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = self._idle.pop() if self._idle else None
        if db is None:
            db = _connect(self.path)
        try:
            yield db
        finally:
            with self._lock:
                keep = not self._closed and not db.in_transaction
                if keep:
                    self._idle.append(db)
            if not keep:
                db.close()


@contextlib.contextmanager
def _begun(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _to_wal(db)
            # In WAL mode, NORMAL loses nothing when the process dies, whatever kills it.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise SfcodeError(
            f"{path}: cannot be used as the state of a local org: {error}",
            "Check the folder's rights, or choose another one with --state.",
        ) from error
    return db


def _to_wal(db: sqlite3.Connection) -> None:
    # The busy timeout does not cover the switch to WAL, and two processes may open a new file together.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    def version() -> int:
        return int(db.execute("PRAGMA user_version").fetchone()[0])

    if version() == len(MIGRATIONS):
        return
    with _begun(db, "BEGIN IMMEDIATE"):
        if version() > len(MIGRATIONS):
            raise SfcodeError(
                f"{path}: the state of this local org was written by a newer sfcode",
                "Use that version, or another folder with --state.",
            )
        for number in range(version(), len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
