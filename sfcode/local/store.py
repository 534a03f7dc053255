"""
The state of a local org: one SQLite file, whole after every crash.

A Tx is one transaction. Everything that a request changes goes through a single one, so that a
reader, in this process or another, sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from sfcode.local.database import Database
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


class Store(Database):
    """The file: usable from many threads and processes at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, MIGRATIONS)
        self.committed = threading.Event()
        """Set by each transaction that wrote; whoever waits for it clears it."""
        self.row_locked: Callable[[str], bool] = _never
        """Tells whether somebody else holds the rows of an object that is about to be written."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Write: nobody else writes meanwhile; an exception undoes all of it."""
        with self.writing() as db:
            yield Tx(db, self.row_locked)
        self.committed.set()

    def index(self, fields: Collection[str]) -> None:
        """Make indexes for fields that queries look for; not now, if somebody else is writing."""

        def make(db: sqlite3.Connection) -> None:
            for field in sorted(fields):
                Tx(db).make_index(field)

        if fields:
            self.write_at_leisure(make)

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """Read one state of the org, whatever is written meanwhile."""
        with self.reading() as db:
            yield Tx(db)
