"""Records: one JSON document each, including system fields."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from sfcode.local import ids
from sfcode.local.clock import audit_stamp
from sfcode.local.tables.base import KeyValueTable, Table

MIN_INDEXED = 500
"""Number of records from which an index is worth making."""
NAME = re.compile(r"\w+", re.ASCII)

Scalar = None | bool | int | float | str
Record = dict[str, Scalar]


class RecordTable(Table):
    """Records by object and ID, without validation."""

    def __init__(self, db: sqlite3.Connection, settings: KeyValueTable) -> None:
        super().__init__(db)
        self._settings = settings
        self.missing_indexes: set[str] = set()
        """Fields by which many records were searched without an index."""

    def get(self, object_name: str, record_id: str) -> Record | None:
        """Return one record; the ID may have 15 or 18 characters."""
        row = self._db.execute(
            "SELECT body FROM record WHERE object = ? AND id = ?", (object_name, ids.full(record_id))
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def object_of(self, record_id: str) -> str | None:
        """Return the object that a record belongs to."""
        row = self._db.execute(
            "SELECT object FROM record WHERE id = :id UNION ALL SELECT object FROM deleted_record WHERE id = :id",
            {"id": ids.full(record_id)},
        ).fetchone()
        return None if row is None else str(row[0])

    def list_all(self, object_name: str, limit: int = -1) -> list[Record]:
        """List the records of an object in the order of their IDs, at most `limit` of them."""
        rows = self._db.execute(
            "SELECT body FROM record WHERE object = ? ORDER BY id LIMIT ?", (object_name, limit)
        ).fetchall()
        return _parse([row[0] for row in rows])

    def find(self, object_name: str, field: str, value: Scalar) -> list[Record]:
        """List the records whose field has this value; text is compared as SOQL does, without case."""
        path = _path(field)
        rows = self._db.execute(
            # The path is a literal and IS NOT NULL is repeated: an index on the field is used only then.
            f"SELECT body FROM record WHERE object = ? AND {path} IS NOT NULL"  # noqa: S608
            f" AND {path} = ? COLLATE NOCASE ORDER BY id",
            (object_name, value),
        )
        return [json.loads(row[0]) for row in rows]

    def find_any(self, object_name: str, field: str, values: Collection[Scalar]) -> list[Record]:
        """List the records whose field has one of these values; text is compared without case."""
        if field == "Id":
            return self._search("id", object_name, values)
        path = _path(field)
        folded_values = {value.lower() if isinstance(value, str) else value for value in values}
        if not self._has_index(object_name, field):
            return self._search(f"{path} COLLATE NOCASE", object_name, folded_values)
        rows = self._db.execute(
            # CROSS JOIN forces the order from values to rows, so that the index is used.
            "SELECT record.id, body FROM json_each(?) AS wanted CROSS JOIN record"  # noqa: S608
            f" ON object = ? AND {path} IS NOT NULL AND {path} = wanted.value COLLATE NOCASE",
            (json.dumps(list(folded_values)), object_name),
        )
        return _parse([row[1] for row in sorted(rows)])

    def _search(self, expression: str, object_name: str, values: Collection[Scalar]) -> list[Record]:
        parameters = (object_name, json.dumps(list(values)))
        rows = self._db.execute(
            f"SELECT body FROM record WHERE object = ? AND {expression} IN (SELECT value FROM json_each(?)) ORDER BY id",  # noqa: S608
            parameters,
        )
        return _parse([row[0] for row in rows])

    def _has_index(self, object_name: str, field: str) -> bool:
        """Return whether an index exists for a field; register a missing one if there are many records."""
        row = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"record_by_{field}",)).fetchone()
        if row is None and self.count(object_name) > MIN_INDEXED:
            self.missing_indexes.add(field)
        return row is not None

    def make_index(self, field: str) -> None:
        """Create the index that finds records by a field."""
        self._db.execute(
            f'CREATE INDEX IF NOT EXISTS "record_by_{field}" ON record (object, {_path(field)} COLLATE NOCASE)'
            f" WHERE {_path(field)} IS NOT NULL"
        )

    def find_indexed(self, object_name: str, field: str, value: Scalar) -> list[Record]:
        """List the records as `find` does, by an index that is created if missing; only for write transactions."""
        self.make_index(field)
        return self.find(object_name, field, value)

    def count(self, object_name: str) -> int:
        """Count the records of an object."""
        return int(self._db.execute("SELECT count(*) FROM record WHERE object = ?", (object_name,)).fetchone()[0])

    def insert(self, object_name: str, values: Mapping[str, Scalar], *, user_id: str, now: datetime) -> str:
        """Store a new record with an ID and system fields, unless the values contain them; return the ID."""
        at = audit_stamp(now)
        record = {
            "Id": None,
            "IsDeleted": False,
            "CreatedDate": at,
            "CreatedById": user_id,
            "LastModifiedDate": at,
            "LastModifiedById": user_id,
            "SystemModstamp": at,
        } | dict(values)
        record_id = ids.full(str(record["Id"] or self.next_id(self.key_prefix(object_name))))
        record["Id"] = record_id
        self._db.execute("INSERT INTO record VALUES (?, ?, ?)", (object_name, record_id, _dump(record)))
        return record_id

    def update(
        self, object_name: str, record_id: str, values: Mapping[str, Scalar], *, user_id: str, now: datetime
    ) -> bool:
        """Change some fields of a record and its modification times; return whether it existed."""
        record = self.get(object_name, record_id)
        if record is None:
            return False
        at = audit_stamp(now)
        record |= {"LastModifiedDate": at, "LastModifiedById": user_id, "SystemModstamp": at} | dict(values)
        self._db.execute("UPDATE record SET body = ? WHERE id = ?", (_dump(record), ids.full(record_id)))
        return True

    def delete(self, object_name: str, record_id: str) -> bool:
        """Delete a record; return whether it existed."""
        cursor = self._db.execute("DELETE FROM record WHERE object = ? AND id = ?", (object_name, ids.full(record_id)))
        return cursor.rowcount > 0

    def recycle(self, object_name: str, record_id: str, *, user_id: str, now: datetime) -> None:
        """Move a record to the recycle bin."""
        self.update(object_name, record_id, {"IsDeleted": True}, user_id=user_id, now=now)
        self._db.execute(
            "INSERT OR REPLACE INTO deleted_record SELECT id, object, body FROM record WHERE object = ? AND id = ?",
            (object_name, ids.full(record_id)),
        )
        self.delete(object_name, record_id)

    def is_deleted(self, record_id: str) -> bool:
        """Return whether a record is in the recycle bin."""
        row = self._db.execute("SELECT 1 FROM deleted_record WHERE id = ?", (ids.full(record_id),)).fetchone()
        return row is not None

    def list_deleted(self, object_name: str) -> list[Record]:
        """List the records of an object in the recycle bin."""
        rows = self._db.execute("SELECT body FROM deleted_record WHERE object = ? ORDER BY id", (object_name,))
        return _parse([row[0] for row in rows])

    def known_prefix(self, object_name: str) -> str | None:
        """Return an object's key prefix, if it has one yet."""
        return ids.KEY_PREFIXES.get(object_name) or self._settings.get(f"prefix.{object_name.lower()}")

    def rename_object(self, old: str, new: str) -> None:
        """Move the records and the key prefix of an object to another name."""
        prefix = self.known_prefix(old)
        self._db.execute("UPDATE record SET object = ? WHERE object = ?", (new, old))
        if prefix is not None:
            self._settings.delete(f"prefix.{old.lower()}")
            self._settings.set(f"prefix.{new.lower()}", prefix)

    def key_prefix(self, object_name: str) -> str:
        """Return an object's key prefix; a custom object gets the next free one (a00, a01, ...) the first time."""
        existing_prefix = self.known_prefix(object_name)
        if existing_prefix is not None:
            return existing_prefix
        number = int(self._settings.get("prefix.last") or -1) + 1
        prefix = f"a{ids.ALPHABET[number // 62 % 62]}{ids.ALPHABET[number % 62]}"
        self._settings.set("prefix.last", str(number))
        self._settings.set(f"prefix.{object_name.lower()}", prefix)
        return prefix


def _parse(bodies: list[str]) -> list[Record]:
    # Parsing all rows at once is twice as fast as parsing each row.
    return json.loads(f"[{','.join(bodies)}]") if bodies else []


def _path(field: str) -> str:
    if not NAME.fullmatch(field):
        raise ValueError(f"{field!r} is no name of a field")
    return f"json_extract(body, '$.\"{field}\"')"


def _dump(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
