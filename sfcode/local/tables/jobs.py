"""What is asked for by id later: deployments and retrieves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.tables.base import Table

Json = dict[str, Any]


class JobTable(Table):
    """Deployments (0Af...) and retrieves (09S...), each a JSON document and perhaps bytes."""

    def put_deploy(self, deploy_id: str, body: Mapping[str, Any], payload: bytes | None = None) -> None:
        """Store a deployment, or write over it; without a payload the one it has stays."""
        self._put_job(deploy_id, body, payload)

    def deploy(self, deploy_id: str) -> Json | None:
        """Find a deployment by its id, in 15 or 18 characters."""
        return self._job(deploy_id, ids.key_prefix("DeployRequest"))

    def deploys(self) -> list[Json]:
        """List all deployments, oldest first."""
        prefix = ids.key_prefix("DeployRequest")
        rows = self._db.execute("SELECT body FROM job WHERE substr(id, 1, 3) = ? ORDER BY id", (prefix,))
        return [json.loads(row[0]) for row in rows]

    def drop_old_deploys(self, kept: int) -> None:
        """Drop the oldest deployments that have ended, until no more than this many are left."""
        prefix = ids.key_prefix("DeployRequest")
        self._db.execute(
            "DELETE FROM job WHERE json_extract(body, '$.report.done') AND id IN"
            " (SELECT id FROM job WHERE substr(id, 1, 3) = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (prefix, kept),
        )

    def put_retrieve(self, retrieve_id: str, body: Mapping[str, Any], payload: bytes | None = None) -> None:
        """Store a retrieve and its zip, or write over it."""
        self._put_job(retrieve_id, body, payload)

    def retrieve(self, retrieve_id: str) -> Json | None:
        """Find a retrieve by its id, in 15 or 18 characters."""
        return self._job(retrieve_id, ids.key_prefix("RetrieveRequest"))

    def payload(self, job_id: str) -> bytes | None:
        """Give the bytes kept with a deployment or a retrieve."""
        row = self._db.execute("SELECT payload FROM job WHERE id = ?", (ids.full(job_id),)).fetchone()
        return None if row is None else row[0]

    def forget_job(self, job_id: str) -> None:
        """Drop a deployment or a retrieve."""
        self._db.execute("DELETE FROM job WHERE id = ?", (ids.full(job_id),))

    def _put_job(self, job_id: str, body: Mapping[str, Any], payload: bytes | None) -> None:
        self._db.execute(
            "INSERT INTO job VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET body = excluded.body, payload = coalesce(excluded.payload, payload)",
            (ids.full(job_id), json.dumps(body), payload),
        )

    def _job(self, job_id: str, prefix: str) -> Json | None:
        if not job_id.startswith(prefix):
            return None
        row = self._db.execute("SELECT body FROM job WHERE id = ?", (ids.full(job_id),)).fetchone()
        return None if row is None else json.loads(row[0])
