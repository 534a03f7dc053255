"""What signing in needs: apps, what they were granted, and passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table

Json = dict[str, Any]


class OAuthTable(Table):
    """Apps and grants are JSON documents; nothing is validated here."""

    def put_app(self, consumer_key: str, body: Mapping[str, Any]) -> None:
        """Store an app, or write over it."""
        self._db.execute(
            "INSERT INTO app VALUES (?, ?) ON CONFLICT (consumer_key) DO UPDATE SET body = excluded.body",
            (consumer_key, json.dumps(body)),
        )

    def app(self, consumer_key: str) -> Json | None:
        """Find an app."""
        row = self._db.execute("SELECT body FROM app WHERE consumer_key = ?", (consumer_key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def apps(self) -> list[Json]:
        """List all apps by their consumer keys."""
        return [json.loads(row[0]) for row in self._db.execute("SELECT body FROM app ORDER BY consumer_key")]

    def delete_app(self, consumer_key: str) -> bool:
        """Forget an app and everything it was granted; say whether it was there."""
        self._db.execute("DELETE FROM oauth_grant WHERE app = ?", (consumer_key,))
        self._db.execute("DELETE FROM session WHERE app = ?", (consumer_key,))
        return self._db.execute("DELETE FROM app WHERE consumer_key = ?", (consumer_key,)).rowcount > 0

    def put_grant(self, token: str, app: str, user_id: str, body: Mapping[str, Any], *, now: datetime) -> None:
        """Keep an authorization code or a refresh token."""
        values = (token, app, ids.full(user_id), json.dumps(body), stamp(now))
        self._db.execute("INSERT INTO oauth_grant VALUES (?, ?, ?, ?, ?)", values)

    def grant(self, token: str) -> Json | None:
        """Find an authorization code or a refresh token: what it holds, with `app`, `user_id` and `created_at`."""
        row = self._db.execute(
            "SELECT app, user_id, body, created_at FROM oauth_grant WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else json.loads(row[2]) | {"app": row[0], "user_id": row[1], "created_at": row[3]}

    def grants(self, app: str, user_id: str) -> list[Json]:
        """List what an app was granted by a user."""
        rows = self._db.execute(
            "SELECT body FROM oauth_grant WHERE app = ? AND user_id = ?", (app, ids.full(user_id))
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def delete_grant(self, token: str) -> None:
        """Make an authorization code or a refresh token worthless."""
        self._db.execute("DELETE FROM oauth_grant WHERE token = ?", (token,))

    def put_password(self, user_id: str, hashed: str) -> None:
        """Keep the hash of a user's password."""
        self._db.execute(
            "INSERT INTO password VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash",
            (ids.full(user_id), hashed),
        )

    def password(self, user_id: str) -> str | None:
        """Give the hash of a user's password; nobody has one at the beginning."""
        row = self._db.execute("SELECT hash FROM password WHERE user_id = ?", (ids.full(user_id),)).fetchone()
        return None if row is None else str(row[0])
