"""Translate errors of the database to errors of the inbox."""

from __future__ import annotations

import sqlalchemy as sa

from sfcode.relay.inbox.database_url import (
    first_line,
    hint_for_error,
    is_damaged,
    is_locked,
    is_read_only,
    is_timed_out,
)
from sfcode.relay.inbox.types import RowLocked, Unavailable

LOST = ("40001", "40P01")
"""SQLSTATEs after which a transaction is retried: a serialization failure, and a deadlock."""


def translate_error(error: sa.exc.DBAPIError) -> Exception:
    """Return the inbox's error for a database error; the database error itself if it is a bug."""
    if is_read_only(error):
        return Unavailable("The relay's database cannot be written: the server is read only.")
    if is_locked(error):
        return RowLocked("Another process has locked a row of the relay's database.", "Try again.")
    if is_timed_out(error):
        return Unavailable(
            "The relay's database took too long to answer.",
            "Choose fewer messages (--user, --reason, --state, --since), or try again when the relay has less to do.",
        )
    if is_damaged(error):
        return Unavailable(f"The relay's database file is damaged: {first_line(error)}", hint_for_error(error))
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated:
        return Unavailable(f"The relay's database does not answer: {first_line(error)}")
    return error
