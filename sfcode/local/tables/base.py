"""What all tables share: the connection, ids that count up, and small settings."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sfcode.local import ids


class Table:
    """A part of a transaction: methods over one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside, and only that, when it raises."""
        self._db.execute("SAVEPOINT inner")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO inner")
            raise
        finally:
            self._db.execute("RELEASE inner")

    def new_id(self, prefix: str) -> str:
        """Give the next id with this key prefix; an id is never given twice, even when its row is gone."""
        row = self._db.execute(
            "INSERT INTO sequence VALUES (?, 1) ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
            (prefix,),
        ).fetchone()
        return ids.nth(prefix, row[0])

    def get(self, key: str) -> str | None:
        """Read a setting of the org."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Write a setting of the org."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )
