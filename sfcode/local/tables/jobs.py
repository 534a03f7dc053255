"""Asynchronous jobs: deployments, retrieves and jobs of the Bulk API."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.tables.base import Table

Json = dict[str, Any]


class JobTable(Table):
    """Jobs of one kind, such as deployments (0Af...): each is a JSON document and optional bytes."""

    def __init__(self, db: sqlite3.Connection, kind: str) -> None:
        super().__init__(db)
        self._prefix = ids.key_prefix(kind)

    def new_id(self) -> str:
        """Return the ID for a new job."""
        return self.next_id(self._prefix)

    def put(self, job_id: str, body: Mapping[str, Any], payload: bytes | None = None) -> None:
        """Store or replace a job; without a payload the stored one remains."""
        self._db.execute(
            "INSERT INTO job VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET body = excluded.body, payload = coalesce(excluded.payload, payload)",
            (ids.full(job_id), json.dumps(body), payload),
        )

    def get(self, job_id: str) -> Json | None:
        """Return a job by its ID of 15 or 18 characters."""
        if not job_id.startswith(self._prefix):
            return None
        row = self._db.execute("SELECT body FROM job WHERE id = ?", (ids.full(job_id),)).fetchone()
        return None if row is None else json.loads(row[0])

    def list_all(self) -> list[Json]:
        """List all jobs, oldest first."""
        rows = self._db.execute("SELECT body FROM job WHERE substr(id, 1, 3) = ? ORDER BY id", (self._prefix,))
        return [json.loads(row[0]) for row in rows]

    def payload(self, job_id: str) -> bytes | None:
        """Return the bytes stored with a job."""
        row = self._db.execute("SELECT payload FROM job WHERE id = ?", (ids.full(job_id),)).fetchone()
        return None if row is None else row[0]

    def delete(self, job_id: str) -> None:
        """Delete a job."""
        self._db.execute("DELETE FROM job WHERE id = ?", (ids.full(job_id),))

    def drop_old(self, limit: int) -> None:
        """Delete the finished jobs that are not among the newest `limit` jobs."""
        self._db.execute(
            "DELETE FROM job WHERE coalesce(json_extract(body, '$.report.done'), 1) AND id IN"
            " (SELECT id FROM job WHERE substr(id, 1, 3) = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (self._prefix, limit),
        )


class BulkJobTable(JobTable):
    """Jobs of the Bulk API (750...); upload and result are stored separately, so that progress is cheap to write."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, "BulkJob")

    def list_all(self) -> list[Json]:
        """List all jobs, newest first."""
        return super().list_all()[::-1]

    def delete(self, job_id: str) -> None:
        """Delete a job and everything stored with it."""
        super().delete(job_id)
        for table in ("bulk_content", "bulk_row"):
            self._db.execute(f"DELETE FROM {table} WHERE job = ?", (job_id,))  # noqa: S608

    def put_content(self, job_id: str, content: bytes) -> None:
        """Store the upload."""
        self._db.execute("INSERT INTO bulk_content VALUES (?, ?)", (job_id, content))

    def content(self, job_id: str) -> bytes | None:
        """Return the upload."""
        row = self._db.execute("SELECT content FROM bulk_content WHERE job = ?", (job_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def add_rows(self, job_id: str, start: int, rows: Iterable[str]) -> None:
        """Store rows of the result, numbered from `start`."""
        numbered = ((job_id, number, row) for number, row in enumerate(rows, start))
        self._db.executemany("INSERT INTO bulk_row VALUES (?, ?, ?)", numbered)

    def rows(self, job_id: str, start: int = 0, count: int = -1) -> list[str]:
        """Return rows of the result in order, at most `count` of them."""
        rows = self._db.execute(
            "SELECT body FROM bulk_row WHERE job = ? AND number >= ? ORDER BY number LIMIT ?", (job_id, start, count)
        )
        return [str(row[0]) for row in rows]

    def count_rows(self, job_id: str) -> int:
        """Count the rows of the result."""
        return int(self._db.execute("SELECT count(*) FROM bulk_row WHERE job = ?", (job_id,)).fetchone()[0])
