"""The data of sign-in: apps and their grants."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import KeyValueTable, Table

Json = dict[str, Any]


class AppTable(KeyValueTable):
    """Apps by consumer key, each a JSON document without validation."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, "app", "consumer_key", "body")

    def put(self, consumer_key: str, body: Mapping[str, Any]) -> None:
        """Store or replace an app."""
        self.set(consumer_key, json.dumps(body))

    def find(self, consumer_key: str) -> Json | None:
        """Return an app."""
        text = self.get(consumer_key)
        return None if text is None else json.loads(text)

    def list_all(self) -> list[Json]:
        """List all apps by their consumer keys."""
        return [json.loads(row[0]) for row in self._db.execute("SELECT body FROM app ORDER BY consumer_key")]

    def delete(self, key: str) -> bool:
        """Delete an app with its grants and sessions; return whether it existed."""
        self._db.execute("DELETE FROM oauth_grant WHERE app = ?", (key,))
        self._db.execute("DELETE FROM session WHERE app = ?", (key,))
        return super().delete(key)


class GrantTable(Table):
    """Authorization codes and refresh tokens, each a JSON document."""

    def put(self, token: str, app: str, user_id: str, body: Mapping[str, Any], *, now: datetime) -> None:
        """Store an authorization code or a refresh token."""
        values = (token, app, ids.full(user_id), json.dumps(body), stamp(now))
        self._db.execute("INSERT INTO oauth_grant VALUES (?, ?, ?, ?, ?)", values)

    def get(self, token: str) -> Json | None:
        """Return the document of a code or token, with `app`, `user_id` and `created_at`."""
        row = self._db.execute(
            "SELECT app, user_id, body, created_at FROM oauth_grant WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else json.loads(row[2]) | {"app": row[0], "user_id": row[1], "created_at": row[3]}

    def list_all(self, app: str, user_id: str) -> list[Json]:
        """List the grants of a user to an app."""
        rows = self._db.execute(
            "SELECT body FROM oauth_grant WHERE app = ? AND user_id = ?", (app, ids.full(user_id))
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def delete(self, token: str) -> None:
        """Revoke an authorization code or a refresh token."""
        self._db.execute("DELETE FROM oauth_grant WHERE token = ?", (token,))
