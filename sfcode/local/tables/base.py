"""The base of all tables: the connection, id sequences, and the settings of the org."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sfcode.local import ids
from sfcode.metadata.component import Component


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored component. `raw` is the zip of a type that is not modeled; times are in REST's form."""

    component: Component
    id: str
    raw: bytes | None
    created_by: str
    created_at: str
    modified_by: str
    modified_at: str


class Table:
    """The methods for one kind of content, on the connection of one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def next_id(self, prefix: str) -> str:
        """Return the next id with this key prefix; an id is never reused."""
        row = self._db.execute(
            "INSERT INTO sequence VALUES (?, 1) ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
            (prefix,),
        ).fetchone()
        return ids.nth(prefix, row[0])


PRODUCTION = "production"
"""The setting that is "true" in an org that deploys as a production org does."""


class SettingTable(Table):
    """Settings of the org by key."""

    def get(self, key: str) -> str | None:
        """Return the value of a setting."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Write a setting."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def delete(self, key: str) -> None:
        """Delete a setting."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (key,))
