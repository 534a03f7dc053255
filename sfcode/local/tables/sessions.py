"""Who is signed in: access tokens, whose they are, and how long they are worth something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One access token; without `minutes` it never expires, without `app` no app asked for it."""

    token: str
    user_id: str
    created_at: str
    expires_at: str | None
    minutes: int | None
    app: str | None
    scope: str

    def expired(self, now: datetime) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and self.expires_at <= stamp(now)

    def half_gone(self, now: datetime) -> bool:
        """Tell whether half of its time has passed: from then on, use makes it last longer."""
        if self.expires_at is None or self.minutes is None:
            return False
        return self.expires_at <= stamp(now + timedelta(minutes=self.minutes) / 2)


class SessionTable(Table):
    """Access tokens, and whose they are."""

    def put_session(
        self,
        token: str,
        user_id: str,
        *,
        now: datetime,
        minutes: int | None = None,
        app: str | None = None,
        scope: str = "",
    ) -> None:
        """Let a token speak for a user: for some minutes after its last use, or for ever."""
        ends = None if minutes is None else stamp(now + timedelta(minutes=minutes))
        self._db.execute("DELETE FROM session WHERE expires_at <= ?", (stamp(now),))
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
            (token, ids.full(user_id), stamp(now), ends, minutes, app, scope),
        )

    def session(self, token: str) -> SessionRow | None:
        """Find a token, expired or not."""
        row = self._db.execute(
            "SELECT token, user_id, created_at, expires_at, minutes, app, scope FROM session WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else SessionRow(*row)

    def session_user(self, token: str) -> str | None:
        """Tell which user a token speaks for."""
        row = self.session(token)
        return None if row is None else row.user_id

    def session_token(self, user_id: str) -> str | None:
        """Give the user's oldest token that never expires: who signed in once with it stays signed in."""
        row = self._db.execute(
            "SELECT token FROM session WHERE user_id = ? AND expires_at IS NULL ORDER BY created_at, token LIMIT 1",
            (ids.full(user_id),),
        ).fetchone()
        return None if row is None else str(row[0])

    def prolong_session(self, row: SessionRow, *, now: datetime) -> None:
        """Begin a session's time anew."""
        if row.minutes is not None:
            ends = stamp(now + timedelta(minutes=row.minutes))
            self._db.execute("UPDATE session SET expires_at = ? WHERE token = ?", (ends, row.token))

    def end_session(self, token: str) -> bool:
        """Make a token worthless; say whether it was worth anything."""
        return self._db.execute("DELETE FROM session WHERE token = ?", (token,)).rowcount > 0

    def end_sessions(self, user_id: str, app: str) -> None:
        """Make all tokens worthless that an app was given for a user."""
        self._db.execute("DELETE FROM session WHERE user_id = ? AND app = ?", (ids.full(user_id), app))
