"""Flows: a definition, its versions, and at most one of them active."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.clock import audit_stamp
from sfcode.local.tables.base import KeyValueTable, Stored, Table
from sfcode.metadata.component import Body, Component

SELECT = """
SELECT v.full_name, v.number, v.status, v.id, f.id, v.body, v.created_by, v.created_at, v.modified_by, v.modified_at
FROM flow_version v JOIN flow f USING (full_name)
"""


@dataclass(frozen=True, slots=True)
class StoredFlowVersion:
    """One version of a flow; its body has the same `status`."""

    full_name: str
    number: int
    status: str
    id: str
    definition_id: str
    body: Body
    created_by: str
    created_at: str
    modified_by: str
    modified_at: str

    @property
    def stored(self) -> Stored:
        """The version as a component of type Flow."""
        times = (self.created_by, self.created_at, self.modified_by, self.modified_at)
        return Stored(Component("Flow", self.full_name, self.body), self.id, None, *times)


def _version(row: sqlite3.Row) -> StoredFlowVersion:
    full_name, number, status, version_id, definition_id, body, *times = row
    body = json.loads(body) | {"status": status}
    return StoredFlowVersion(full_name, number, status, version_id, definition_id, body, *times)


class FlowTable(Table):
    """Flow versions, by full name and number from 1."""

    def __init__(self, db: sqlite3.Connection, settings: KeyValueTable) -> None:
        super().__init__(db)
        self._settings = settings

    def versions(self, full_name: str | None = None) -> list[StoredFlowVersion]:
        """List the versions of one flow, or of all, oldest first."""
        clause, values = ("", ()) if full_name is None else ("WHERE v.full_name = ?", (full_name,))
        rows = self._db.execute(f"{SELECT} {clause} ORDER BY v.full_name, v.number", values)
        return [_version(row) for row in rows]

    def version(self, version_id: str) -> StoredFlowVersion | None:
        """Return a version by its ID (301...)."""
        row = self._db.execute(f"{SELECT} WHERE v.id = ?", (ids.full(version_id),)).fetchone()
        return None if row is None else _version(row)

    def find_version(self, name: str) -> StoredFlowVersion | None:
        """Return a version by its name as a component: `Flow-2`."""
        flow, _, number = name.rpartition("-")
        return next((version for version in self.versions(flow) if str(version.number) == number), None)

    def name(self, definition_id: str) -> str | None:
        """Return the full name of the flow with this definition ID (300...)."""
        row = self._db.execute("SELECT full_name FROM flow WHERE id = ?", (ids.full(definition_id),)).fetchone()
        return None if row is None else str(row[0])

    def active_version(self, full_name: str) -> StoredFlowVersion | None:
        """Return the active version, if there is one."""
        return next((version for version in self.versions(full_name) if version.status == "Active"), None)

    def list_triggered(self, object_name: str, trigger: str) -> list[StoredFlowVersion]:
        """List the active versions that start when a record of an object is saved."""
        rows = self._db.execute(
            f"{SELECT} WHERE v.status = 'Active' AND json_extract(v.body, '$.start.triggerType') = ?"
            " AND json_extract(v.body, '$.start.object') = ? COLLATE NOCASE ORDER BY v.full_name",
            (trigger, object_name),
        )
        return [_version(row) for row in rows]

    def add_version(self, component: Component, *, user_id: str, now: datetime) -> StoredFlowVersion:
        """Add the next version with the body's status (Draft when it has none); an active one makes the previous one obsolete."""
        name, at = component.full_name, audit_stamp(now)
        status = str(component.body.get("status") or "Draft")
        row = self._db.execute("SELECT full_name FROM flow WHERE full_name = ?", (name,)).fetchone()
        if row is not None:
            # A name keeps the case in which it was created.
            name = str(row[0])
        else:
            self._db.execute("INSERT INTO flow VALUES (?, ?)", (name, self.next_id(ids.key_prefix("FlowDefinition"))))
        # The counter is kept when versions are deleted, since an org does not reuse version numbers.
        number = int(self._settings.get(f"flow.last.{name.lower()}") or 0) + 1
        self._settings.set(f"flow.last.{name.lower()}", str(number))
        if status == "Active":
            self._retire(name)
        id_ = self.next_id(ids.key_prefix("Flow"))
        self._db.execute(
            "INSERT INTO flow_version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name, number, status, id_, component.canonical, None, user_id, at, user_id, at),
        )
        return next(version for version in self.versions(name) if version.number == number)

    def activate(self, full_name: str, number: int | None, *, user_id: str, now: datetime) -> None:
        """Activate one version; None deactivates the flow."""
        self._retire(full_name)
        self._db.execute(
            "UPDATE flow_version SET status = 'Active', modified_by = ?, modified_at = ? WHERE full_name = ? AND number = ?",
            (user_id, audit_stamp(now), full_name, number),
        )

    def delete_version(self, full_name: str, number: int) -> bool:
        """Delete one version, and the definition with the last one; return whether the version existed."""
        cursor = self._db.execute("DELETE FROM flow_version WHERE full_name = ? AND number = ?", (full_name, number))
        if not self.versions(full_name):
            self.delete(full_name)
        return cursor.rowcount > 0

    def delete(self, full_name: str) -> bool:
        """Delete a flow with all its versions; return whether it existed."""
        self._settings.delete(f"flow.last.{full_name.lower()}")
        return self._db.execute("DELETE FROM flow WHERE full_name = ?", (full_name,)).rowcount > 0

    def _retire(self, full_name: str) -> None:
        self._db.execute(
            "UPDATE flow_version SET status = 'Obsolete' WHERE full_name = ? AND status = 'Active'", (full_name,)
        )
