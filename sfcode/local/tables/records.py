"""Rows of data: one JSON document each, system fields included."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table

MANY = 500
"""From so many records on, an index is worth making."""
NAME = re.compile(r"\w+", re.ASCII)

Scalar = None | bool | int | float | str
Record = dict[str, Scalar]


class RecordTable(Table):
    """Records by object and id; nothing is validated here."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self.wished: set[str] = set()
        """Fields by which many records were looked through, for lack of an index."""

    def record(self, object_name: str, record_id: str) -> Record | None:
        """Find one record; the id may have 15 or 18 characters."""
        row = self._db.execute(
            "SELECT body FROM record WHERE object = ? AND id = ?", (object_name, ids.full(record_id))
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def object_of(self, record_id: str) -> str | None:
        """Tell which object a record belongs to."""
        row = self._db.execute("SELECT object FROM record WHERE id = ?", (ids.full(record_id),)).fetchone()
        return None if row is None else str(row[0])

    def records(self, object_name: str, most: int = -1) -> list[Record]:
        """List the records of an object in the order of their ids, the first ones only where a number is given."""
        asked = (object_name, most)
        rows = self._db.execute("SELECT body FROM record WHERE object = ? ORDER BY id LIMIT ?", asked).fetchall()
        return _parsed([row[0] for row in rows])

    def find(self, object_name: str, field: str, value: Scalar) -> list[Record]:
        """List the records whose field has this value; text is compared as SOQL does, without case."""
        path = _path(field)
        rows = self._db.execute(
            # The path is written out, and null said to be none: only so an index on the field can be used.
            f"SELECT body FROM record WHERE object = ? AND {path} IS NOT NULL"  # noqa: S608
            f" AND {path} = ? COLLATE NOCASE ORDER BY id",
            (object_name, value),
        )
        return [json.loads(row[0]) for row in rows]

    def among(self, object_name: str, field: str, values: Collection[Scalar]) -> list[Record]:
        """List the records whose field has one of these values; text is compared without case."""
        if field == "Id":
            return self._some("id", object_name, values)
        path, wanted = _path(field), {each.lower() if isinstance(each, str) else each for each in values}
        if not self._has_index(object_name, field):
            return self._some(f"{path} COLLATE NOCASE", object_name, wanted)
        rows = self._db.execute(
            # From the values to the rows, and the path as in `find`: only so the index is used.
            "SELECT record.id, body FROM json_each(?) AS wanted CROSS JOIN record"  # noqa: S608
            f" ON object = ? AND {path} IS NOT NULL AND {path} = wanted.value COLLATE NOCASE",
            (json.dumps(list(wanted)), object_name),
        )
        return _parsed([row[1] for row in sorted(rows)])

    def _some(self, what: str, object_name: str, values: Collection[Scalar]) -> list[Record]:
        given = (object_name, json.dumps(list(values)))
        rows = self._db.execute(
            f"SELECT body FROM record WHERE object = ? AND {what} IN (SELECT value FROM json_each(?)) ORDER BY id",  # noqa: S608
            given,
        )
        return _parsed([row[0] for row in rows])

    def _has_index(self, object_name: str, field: str) -> bool:
        """Tell whether an index finds records by a field; where many are looked through without, remember that one is wanted."""
        found = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"record_by_{field}",)).fetchone()
        if found is None and self.count(object_name) > MANY:
            self.wished.add(field)
        return found is not None

    def make_index(self, field: str) -> None:
        """Let records be found by a field in a time that does not grow with their number."""
        self._db.execute(
            f'CREATE INDEX IF NOT EXISTS "record_by_{field}" ON record (object, {_path(field)} COLLATE NOCASE)'
            f" WHERE {_path(field)} IS NOT NULL"
        )

    def quick_find(self, object_name: str, field: str, value: Scalar) -> list[Record]:
        """Find as `find` does, in a time that does not grow with the records; only where something may be written."""
        self.make_index(field)
        return self.find(object_name, field, value)

    def count(self, object_name: str) -> int:
        """Count the records of an object."""
        return int(self._db.execute("SELECT count(*) FROM record WHERE object = ?", (object_name,)).fetchone()[0])

    def insert(self, object_name: str, values: Mapping[str, Scalar], *, user_id: str, now: datetime) -> str:
        """Store a new record with an id and its system fields, unless the values bring their own; give the id."""
        at = stamp(now)
        record = {
            "Id": None,
            "IsDeleted": False,
            "CreatedDate": at,
            "CreatedById": user_id,
            "LastModifiedDate": at,
            "LastModifiedById": user_id,
            "SystemModstamp": at,
        } | dict(values)
        record_id = ids.full(str(record["Id"] or self.new_id(self.record_prefix(object_name))))
        record["Id"] = record_id
        self._db.execute("INSERT INTO record VALUES (?, ?, ?)", (object_name, record_id, _dump(record)))
        return record_id

    def update(
        self, object_name: str, record_id: str, values: Mapping[str, Scalar], *, user_id: str, now: datetime
    ) -> bool:
        """Change some fields of a record and its modification stamps; say whether it was there."""
        record = self.record(object_name, record_id)
        if record is None:
            return False
        at = stamp(now)
        record |= {"LastModifiedDate": at, "LastModifiedById": user_id, "SystemModstamp": at} | dict(values)
        self._db.execute("UPDATE record SET body = ? WHERE id = ?", (_dump(record), ids.full(record_id)))
        return True

    def delete(self, object_name: str, record_id: str) -> bool:
        """Delete a record for good; say whether it was there."""
        done = self._db.execute("DELETE FROM record WHERE object = ? AND id = ?", (object_name, ids.full(record_id)))
        return done.rowcount > 0

    def known_prefix(self, object_name: str) -> str | None:
        """Give an object's key prefix, if it has one yet."""
        return ids.KEY_PREFIXES.get(object_name) or self.get(f"prefix.{object_name.lower()}")

    def rename_object(self, old: str, new: str) -> None:
        """Let the records of an object, and its key prefix, be another's."""
        prefix = self.known_prefix(old)
        self._db.execute("UPDATE record SET object = ? WHERE object = ?", (new, old))
        if prefix is not None:
            self._db.execute("DELETE FROM meta WHERE key = ?", (f"prefix.{old.lower()}",))
            self.set(f"prefix.{new.lower()}", prefix)

    def record_prefix(self, object_name: str) -> str:
        """Give an object's key prefix; a custom object gets the next free one (a00, a01, ...) the first time."""
        known = self.known_prefix(object_name)
        if known is not None:
            return known
        number = int(self.get("prefix.last") or -1) + 1
        prefix = f"a{ids.ALPHABET[number // 62 % 62]}{ids.ALPHABET[number % 62]}"
        self.set("prefix.last", str(number))
        self.set(f"prefix.{object_name.lower()}", prefix)
        return prefix


def _parsed(bodies: list[str]) -> list[Record]:
    # One parse for all rows: twice as fast as one parse for each.
    return json.loads(f"[{','.join(bodies)}]") if bodies else []


def _path(field: str) -> str:
    if not NAME.fullmatch(field):
        raise ValueError(f"{field!r} is no name of a field")
    return f"json_extract(body, '$.\"{field}\"')"


def _dump(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
