"""The base of all tables: the connection, ID sequences, and values by key."""

from __future__ import annotations

import sqlite3

from sfcode.lazy_dataclasses import dataclass
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
        """Return the next ID with this key prefix; an ID is never reused."""
        row = self._db.execute(
            "INSERT INTO sequence VALUES (?, 1) ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
            (prefix,),
        ).fetchone()
        return ids.nth(prefix, row[0])


PRODUCTION = "production"
"""The setting that is "true" in an org that deploys as a production org does."""


class KeyValueTable(Table):
    """Texts by key, in a table of two columns."""

    def __init__(self, db: sqlite3.Connection, table: str, key: str = "key", value: str = "value") -> None:
        super().__init__(db)
        self._put = f"INSERT INTO {table} VALUES (?, ?) ON CONFLICT ({key}) DO UPDATE SET {value} = excluded.{value}"  # noqa: S608
        self._get = f"SELECT {value} FROM {table} WHERE {key} = ?"  # noqa: S608
        self._delete = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608

    def get(self, key: str) -> str | None:
        """Return the value of a key."""
        row = self._db.execute(self._get, (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Write the value of a key."""
        self._db.execute(self._put, (key, value))

    def delete(self, key: str) -> bool:
        """Delete a key; return whether it existed."""
        return self._db.execute(self._delete, (key,)).rowcount > 0
