"""Deployed metadata, flows apart: one row per component."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table
from sfcode.metadata.component import Component

SELECT = """
SELECT type, full_name, id, body, raw, created_by, created_at, modified_by, modified_at FROM component
"""


# Conditions as the index has them: only so it is used.
WITH_ACTIVITIES = """
SELECT full_name FROM component WHERE type = 'CustomObject' AND json_extract(body, '$.enableActivities') = 1
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A component as the org holds it. `raw` is the file of a type whose body is not modelled; times are REST's text."""

    component: Component
    id: str
    raw: bytes | None
    created_by: str
    created_at: str
    modified_by: str
    modified_at: str


@dataclass(frozen=True, slots=True)
class Put:
    """What storing a component did."""

    changed: bool
    created: bool
    id: str


def _stored(row: sqlite3.Row) -> Stored:
    return Stored(Component(row[0], row[1], json.loads(row[3])), row[2], *row[4:9])


class ComponentTable(Table):
    """Components by type and full name; a full name is found whatever its case."""

    def stored(self, kind: str, full_name: str) -> Stored | None:
        """Find one component that is not a flow."""
        row = self._db.execute(f"{SELECT} WHERE type = ? AND full_name = ?", (kind, full_name)).fetchone()
        return None if row is None else _stored(row)

    def stored_by_id(self, id_: str) -> Stored | None:
        """Find one component that is not a flow by its id."""
        row = self._db.execute(f"{SELECT} WHERE id = ?", (ids.full(id_),)).fetchone()
        return None if row is None else _stored(row)

    def all_stored(self, kind: str | None) -> list[Stored]:
        """List components that are not flows, by type and full name."""
        where, values = ("", ()) if kind is None else ("WHERE type = ?", (kind,))
        rows = self._db.execute(f"{SELECT} {where} ORDER BY type, full_name", values)
        return [_stored(row) for row in rows]

    def bodies_by_ids(self, wanted: Iterable[str]) -> list[str]:
        """Give the bodies, as text, of the components that have these ids; ids of anything else are passed over."""
        rows = (self._db.execute("SELECT body FROM component WHERE id = ?", (each,)).fetchone() for each in wanted)
        return [str(row[0]) for row in rows if row is not None]

    def objects_with_activities(self) -> list[str]:
        """Name the custom objects that activities can be about."""
        return [str(row[0]) for row in self._db.execute(f"{WITH_ACTIVITIES} ORDER BY full_name")]

    def has_activities(self, object_name: str) -> bool:
        """Tell whether activities can be about a custom object."""
        return self._db.execute(f"{WITH_ACTIVITIES} AND full_name = ?", (object_name,)).fetchone() is not None

    def fields_leading_to(self, object_name: str) -> list[str]:
        """Name the custom fields that refer to an object."""
        # Written as the index has it, null said to be none: only so it is used.
        rows = self._db.execute(
            "SELECT full_name FROM component WHERE type = 'CustomField' AND json_extract(body, '$.referenceTo')"
            " IS NOT NULL AND json_extract(body, '$.referenceTo') = ? COLLATE NOCASE ORDER BY full_name",
            (object_name,),
        )
        return [str(row[0]) for row in rows]

    def child_components(self, kind: str, parent: str) -> list[Stored]:
        """List the components of a type inside one container: the CustomFields of Contact."""
        # "/" is the character after ".": the range holds what begins with the container's name and a dot.
        rows = self._db.execute(
            f"{SELECT} WHERE type = ? AND full_name > ? AND full_name < ? ORDER BY full_name",
            (kind, f"{parent}.", f"{parent}/"),
        )
        return [_stored(row) for row in rows]

    def put_component(self, component: Component, *, user_id: str, now: datetime, raw: bytes | None = None) -> Put:
        """Store a component; the same body and raw file again change nothing, not even the times."""
        if component.type == "Flow":
            raise ValueError("a flow has versions: add_flow_version")
        before = self.stored(component.type, component.full_name)
        at = stamp(now)
        if before is None:
            id_ = self.new_id(ids.key_prefix(component.type))
            self._db.execute(
                "INSERT INTO component VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (component.type, component.full_name, id_, component.canonical, raw, user_id, at, user_id, at),
            )
            return Put(changed=True, created=True, id=id_)
        if before.component.canonical == component.canonical and before.raw == raw:
            return Put(changed=False, created=False, id=before.id)
        self._db.execute(
            "UPDATE component SET body = ?, raw = ?, modified_by = ?, modified_at = ? WHERE type = ? AND full_name = ?",
            (component.canonical, raw, user_id, at, component.type, component.full_name),
        )
        return Put(changed=True, created=False, id=before.id)

    def rename_stored(self, kind: str, old: str, new: str, *, user_id: str, now: datetime) -> None:
        """Give one component that is not a flow another full name; its id stays."""
        self._db.execute(
            "UPDATE component SET full_name = ?, modified_by = ?, modified_at = ? WHERE type = ? AND full_name = ?",
            (new, user_id, stamp(now), kind, old),
        )

    def remove_stored(self, kind: str, full_name: str) -> bool:
        """Delete one component that is not a flow; say whether it was there."""
        done = self._db.execute("DELETE FROM component WHERE type = ? AND full_name = ?", (kind, full_name))
        return done.rowcount > 0
