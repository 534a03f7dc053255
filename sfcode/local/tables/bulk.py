"""Bulk jobs (750...): a JSON document each, what was uploaded, and a row for each record that is done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.tables.base import Table

Json = dict[str, Any]


class BulkTable(Table):
    """Jobs of the Bulk API; what they read and give is kept beside them, so that progress is cheap to write."""

    def put_bulk(self, job: Mapping[str, Any]) -> None:
        """Store a job, or write over it."""
        self._db.execute(
            "INSERT INTO job VALUES (?, ?, NULL) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (job["id"], json.dumps(job)),
        )

    def bulk(self, job_id: str) -> Json | None:
        """Find a job by its id, in 15 or 18 characters."""
        if not job_id.startswith(ids.key_prefix("BulkJob")):
            return None
        row = self._db.execute("SELECT body FROM job WHERE id = ?", (ids.full(job_id),)).fetchone()
        return None if row is None else json.loads(row[0])

    def bulks(self) -> list[Json]:
        """List all jobs, newest first."""
        prefix = ids.key_prefix("BulkJob")
        rows = self._db.execute("SELECT body FROM job WHERE substr(id, 1, 3) = ? ORDER BY id DESC", (prefix,))
        return [json.loads(row[0]) for row in rows]

    def forget_bulk(self, job_id: str) -> None:
        """Drop a job and everything kept with it."""
        for table, key in (("job", "id"), ("bulk_content", "job"), ("bulk_row", "job")):
            self._db.execute(f"DELETE FROM {table} WHERE {key} = ?", (job_id,))  # noqa: S608

    def put_bulk_content(self, job_id: str, content: bytes) -> None:
        """Keep what was uploaded."""
        self._db.execute("INSERT INTO bulk_content VALUES (?, ?)", (job_id, content))

    def bulk_content(self, job_id: str) -> bytes | None:
        """Give what was uploaded."""
        row = self._db.execute("SELECT content FROM bulk_content WHERE job = ?", (job_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def add_bulk_rows(self, job_id: str, start: int, rows: Iterable[str]) -> None:
        """Keep rows of the result, numbered from `start`."""
        numbered = ((job_id, number, row) for number, row in enumerate(rows, start))
        self._db.executemany("INSERT INTO bulk_row VALUES (?, ?, ?)", numbered)

    def bulk_rows(self, job_id: str, start: int = 0, count: int = -1) -> list[str]:
        """Give rows of the result in order, up to `count` of them."""
        rows = self._db.execute(
            "SELECT body FROM bulk_row WHERE job = ? AND number >= ? ORDER BY number LIMIT ?", (job_id, start, count)
        )
        return [str(row[0]) for row in rows]

    def bulk_row_count(self, job_id: str) -> int:
        """Count the rows of the result."""
        return int(self._db.execute("SELECT count(*) FROM bulk_row WHERE job = ?", (job_id,)).fetchone()[0])
