"""Sessions: access tokens, their users, and when they expire."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One access token; `minutes` is None if it never expires, and `app` if no app requested it."""

    token: str
    user_id: str
    created_at: str
    expires_at: str | None
    minutes: int | None
    app: str | None
    scope: str

    def is_expired(self, now: datetime) -> bool:
        """Return whether it has expired."""
        return self.expires_at is not None and self.expires_at <= stamp(now)

    def is_half_expired(self, now: datetime) -> bool:
        """Return whether half of its lifetime has passed: from then on, each use prolongs it."""
        if self.expires_at is None or self.minutes is None:
            return False
        return self.expires_at <= stamp(now + timedelta(minutes=self.minutes) / 2)


class SessionTable(Table):
    """Access tokens and their users."""

    def put(
        self,
        token: str,
        user_id: str,
        *,
        now: datetime,
        minutes: int | None = None,
        app: str | None = None,
        scope: str = "",
    ) -> None:
        """Store a token of a user, valid for some minutes after its last use, or without limit."""
        ends = None if minutes is None else stamp(now + timedelta(minutes=minutes))
        self._db.execute("DELETE FROM session WHERE expires_at <= ?", (stamp(now),))
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
            (token, ids.full(user_id), stamp(now), ends, minutes, app, scope),
        )

    def get(self, token: str) -> SessionRow | None:
        """Return a session by its token, expired or not."""
        row = self._db.execute(
            "SELECT token, user_id, created_at, expires_at, minutes, app, scope FROM session WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else SessionRow(*row)

    def lasting_token(self, user_id: str) -> str | None:
        """Return the oldest token of a user that never expires, so that its clients stay signed in."""
        row = self._db.execute(
            "SELECT token FROM session WHERE user_id = ? AND expires_at IS NULL ORDER BY created_at, token LIMIT 1",
            (ids.full(user_id),),
        ).fetchone()
        return None if row is None else str(row[0])

    def prolong(self, row: SessionRow, *, now: datetime) -> None:
        """Restart the lifetime of a session."""
        if row.minutes is not None:
            ends = stamp(now + timedelta(minutes=row.minutes))
            self._db.execute("UPDATE session SET expires_at = ? WHERE token = ?", (ends, row.token))

    def delete(self, token: str) -> bool:
        """Revoke a token; return whether it existed."""
        return self._db.execute("DELETE FROM session WHERE token = ?", (token,)).rowcount > 0

    def delete_all(self, user_id: str, app: str) -> None:
        """Revoke all tokens of an app for a user."""
        self._db.execute("DELETE FROM session WHERE user_id = ? AND app = ?", (ids.full(user_id), app))
