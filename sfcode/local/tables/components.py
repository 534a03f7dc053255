"""Deployed components, one row each. A flow's component is its active version, otherwise its newest."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.clock import audit_stamp
from sfcode.local.tables.base import Stored, Table
from sfcode.local.tables.flows import FlowTable, StoredFlowVersion
from sfcode.metadata.component import Component

SELECT = """
SELECT type, full_name, id, body, raw, created_by, created_at, modified_by, modified_at FROM component
"""
# The conditions must equal those of the partial index, so that SQLite uses it.
WITH_ACTIVITIES = """
SELECT full_name FROM component WHERE type = 'CustomObject' AND json_extract(body, '$.enableActivities') = 1
"""


@dataclass(frozen=True, slots=True)
class PutResult:
    """The result of storing a component."""

    changed: bool
    created: bool
    id: str


@lru_cache(maxsize=4096)
def _component(kind: str, full_name: str, body: str) -> Component:
    """Parse a component; cached, since most requests read the same components."""
    return Component(kind, full_name, json.loads(body))


def _current(versions: list[StoredFlowVersion]) -> StoredFlowVersion:
    return next((version for version in versions if version.status == "Active"), versions[-1])


class ComponentTable(Table):
    """Components by type and full name, without case."""

    def __init__(self, db: sqlite3.Connection, flows: FlowTable) -> None:
        super().__init__(db)
        self._flows = flows

    def _read(self, clause: str, *values: str) -> list[Stored]:
        rows = self._db.execute(f"{SELECT} {clause}", values)
        return [Stored(_component(row[0], row[1], row[3]), row[2], *row[4:9]) for row in rows]

    def get(self, kind: str, full_name: str) -> Stored | None:
        """Return one component."""
        if kind == "Flow":
            versions = self._flows.versions(full_name)
            return _current(versions).stored if versions else None
        return next(iter(self._read("WHERE type = ? AND full_name = ?", kind, full_name)), None)

    def get_by_id(self, id_: str) -> Stored | None:
        """Return one component that is not a flow by its ID."""
        return next(iter(self._read("WHERE id = ?", ids.full(id_))), None)

    def list_all(self, kind: str | None = None) -> list[Stored]:
        """List the components of a type, or of all types, sorted by type and full name."""
        flows: dict[str, list[StoredFlowVersion]] = {}
        for version in self._flows.versions() if kind in (None, "Flow") else ():
            flows.setdefault(version.full_name, []).append(version)
        clause, values = ("", ()) if kind is None else ("WHERE type = ?", (kind,))
        components = self._read(f"{clause} ORDER BY type, full_name", *values)
        components += [_current(versions).stored for versions in flows.values()]
        return sorted(components, key=lambda stored: stored.component.address)

    def bodies_by_ids(self, ids_: Iterable[str]) -> list[str]:
        """Return the bodies, as text, of the components with these IDs; other IDs are ignored."""
        rows = (self._db.execute("SELECT body FROM component WHERE id = ?", (id_,)).fetchone() for id_ in ids_)
        return [str(row[0]) for row in rows if row is not None]

    def objects_with_activities(self) -> list[str]:
        """Return the names of the custom objects that allow activities."""
        return [str(row[0]) for row in self._db.execute(f"{WITH_ACTIVITIES} ORDER BY full_name")]

    def has_activities(self, object_name: str) -> bool:
        """Return whether a custom object allows activities."""
        return self._db.execute(f"{WITH_ACTIVITIES} AND full_name = ?", (object_name,)).fetchone() is not None

    def lookups_to(self, object_name: str) -> list[str]:
        """Return the full names of the custom fields that refer to an object."""
        # IS NOT NULL repeats the condition of the index, which is used only then.
        rows = self._db.execute(
            "SELECT full_name FROM component WHERE type = 'CustomField' AND json_extract(body, '$.referenceTo')"
            " IS NOT NULL AND json_extract(body, '$.referenceTo') = ? COLLATE NOCASE ORDER BY full_name",
            (object_name,),
        )
        return [str(row[0]) for row in rows]

    def children(self, kind: str, parent: str) -> list[Stored]:
        """List the components of a type inside one container: the CustomFields of Contact."""
        # "/" is the character after ".": the range holds what begins with the container's name and a dot.
        clause = "WHERE type = ? AND full_name > ? AND full_name < ? ORDER BY full_name"
        return self._read(clause, kind, f"{parent}.", f"{parent}/")

    def last_modified(self) -> str | None:
        """Return when a component was changed last."""
        row = self._db.execute("SELECT max(modified_at) FROM component").fetchone()
        return None if row is None else row[0]

    def put(self, component: Component, *, user_id: str, now: datetime, raw: bytes | None = None) -> PutResult:
        """Store a component that is not a flow; the same body and raw file change nothing, including the times."""
        if component.type == "Flow":
            raise ValueError("a flow has versions: see FlowTable.add_version")
        before = self.get(component.type, component.full_name)
        at = audit_stamp(now)
        if before is None:
            id_ = self.next_id(ids.key_prefix(component.type))
            self._db.execute(
                "INSERT INTO component VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (component.type, component.full_name, id_, component.canonical, raw, user_id, at, user_id, at),
            )
            return PutResult(changed=True, created=True, id=id_)
        if before.component.canonical == component.canonical and before.raw == raw:
            return PutResult(changed=False, created=False, id=before.id)
        self._db.execute(
            "UPDATE component SET body = ?, raw = ?, modified_by = ?, modified_at = ? WHERE type = ? AND full_name = ?",
            (component.canonical, raw, user_id, at, component.type, component.full_name),
        )
        return PutResult(changed=True, created=False, id=before.id)

    def rename(self, kind: str, old: str, new: str, *, user_id: str, now: datetime) -> None:
        """Change the full name of a component that is not a flow; its ID stays."""
        self._db.execute(
            "UPDATE component SET full_name = ?, modified_by = ?, modified_at = ? WHERE type = ? AND full_name = ?",
            (new, user_id, audit_stamp(now), kind, old),
        )

    def delete(self, kind: str, full_name: str) -> bool:
        """Delete a component, a flow with all its versions; return whether it existed."""
        if kind == "Flow":
            return self._flows.delete(full_name)
        cursor = self._db.execute("DELETE FROM component WHERE type = ? AND full_name = ?", (kind, full_name))
        return cursor.rowcount > 0
