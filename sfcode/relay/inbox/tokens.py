"""Access tokens and their sessions, stored by the hashes of their secrets."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from sfcode.relay.access_token import AccessToken, Role, digest_secret
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.column_types import UtcDateTime
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import SESSIONS, TOKENS

PREFIX = "sfcode_"
"""The prefix of each token, by which secret scanners can recognize it."""
RANDOM_BYTES = 32

Run = Callable[[Callable[[Transaction], Any]], Any]
"""Runs a function in a transaction."""


class AccessTokens:
    """The access tokens of an inbox."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    def create(self, name: str, role: Role, expires_at: datetime | None, who: str = "") -> str | None:
        """Create a token, and return its secret, which is not stored; None if the name is taken."""
        secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        is_new = self._write(lambda tx: _insert(tx, name, role, expires_at=expires_at, secret=secret, who=who))
        return secret if is_new else None

    def revoke(self, name: str, who: str = "") -> bool:
        """Delete a token and its sessions; return False if no token has the name."""
        return cast("bool", self._write(lambda tx: _delete(tx, name, who)))

    def all(self) -> tuple[AccessToken, ...]:
        """Return all tokens by name, expired ones included."""
        return tuple(self._read(lambda tx: [_by_wall_clock(tx, row) for row in tx.db.execute(_ALL)]))

    def find(self, secret: str) -> AccessToken | None:
        """Return the token with a secret; None if the token is unknown, revoked or expired."""
        query = sa.select(TOKENS).where(TOKENS.c.digest == digest_secret(secret))
        return cast("AccessToken | None", self._read(lambda tx: _valid(tx, query)))

    def begin_session(self, name: str, seconds: float) -> str:
        """Begin a session of a token, and return its random name."""
        session = secrets.token_urlsafe(RANDOM_BYTES)
        self._write(lambda tx: _insert_session(tx, session, name, seconds))
        return session

    def find_session(self, session: str) -> AccessToken | None:
        """Return the token of a session; None if the session has ended, or the token was revoked or has expired."""
        own_session = sa.select(SESSIONS.c.token).where(SESSIONS.c.digest == digest_secret(session))

        def find(tx: Transaction) -> AccessToken | None:
            name = tx.db.scalar(own_session.where(SESSIONS.c.expires_at > tx.now))
            return None if name is None else _valid(tx, sa.select(TOKENS).where(TOKENS.c.name == name))

        return cast("AccessToken | None", self._read(find))

    def end_session(self, session: str) -> None:
        """End a session."""
        self._write(lambda tx: tx.db.execute(SESSIONS.delete().where(SESSIONS.c.digest == digest_secret(session))))


_ALL = sa.select(TOKENS).order_by(TOKENS.c.name)


def _insert(tx: Transaction, name: str, role: Role, *, expires_at: datetime | None, secret: str, who: str) -> bool:
    insert = tx.database.insert(TOKENS).on_conflict_do_nothing(index_elements=["name"]).returning(TOKENS.c.name)
    stored_end = expires_at and tx.to_stored(expires_at)
    values = {"name": name, "role": role, "digest": digest_secret(secret), "created_at": tx.now}
    is_new = tx.db.execute(insert, {**values, "expires_at": stored_end}).first() is not None
    if is_new:
        add_audit_line(tx, who, "token create", {"token": name, "role": role}, 1)
    return is_new


def _delete(tx: Transaction, name: str, who: str) -> bool:
    # The foreign key of a new session locks the token's row too, so that no session begins while the token is revoked.
    tx.db.execute(tx.database.for_update(sa.select(TOKENS.c.name).where(TOKENS.c.name == name)))
    tx.db.execute(SESSIONS.delete().where(SESSIONS.c.token == name))
    is_deleted = bool(tx.db.execute(TOKENS.delete().where(TOKENS.c.name == name)).rowcount)
    if is_deleted:
        add_audit_line(tx, who, "token revoke", {"token": name}, 1)
    return is_deleted


def _insert_session(tx: Transaction, session: str, name: str, seconds: float) -> None:
    tx.db.execute(SESSIONS.delete().where(SESSIONS.c.token == name, SESSIONS.c.expires_at <= tx.now))
    # Locks the token's row, so that no session begins for a token that is being revoked.
    digest, end = sa.literal(digest_secret(session)), sa.literal(tx.now + timedelta(seconds=seconds), UtcDateTime())
    own_token = sa.select(digest, TOKENS.c.name, end).where(TOKENS.c.name == name)
    tx.db.execute(SESSIONS.insert().from_select(["digest", "token", "expires_at"], own_token))


def _valid(tx: Transaction, query: sa.Select[Any]) -> AccessToken | None:
    row = tx.db.execute(query.where(sa.or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > tx.now))).first()
    return None if row is None else _by_wall_clock(tx, row)


def _by_wall_clock(tx: Transaction, row: sa.Row[Any]) -> AccessToken:
    expires_at = row.expires_at and tx.to_wall(row.expires_at)
    return AccessToken(row.name, cast("Role", row.role), tx.to_wall(row.created_at), expires_at)
