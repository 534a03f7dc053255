"""Open an inbox by URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from sfcode.errors import Refused, UsageError
from sfcode.relay.inbox.dialects import Database, Postgresql, Sqlite
from sfcode.relay.inbox.inbox import Inbox
from sfcode.relay.inbox.migrations import migrate

FORMS = "Use sqlite:///PATH (four slashes for an absolute path) or postgresql://USER:PASSWORD@HOST/DATABASE."


def now() -> datetime:
    """Read this machine's clock."""
    return datetime.now(UTC)


def open_inbox(url: str, *, clock: Callable[[], datetime] = now) -> Inbox:
    """
    Open the inbox of a database, migrating its tables to this program's version.

    `clock` is this machine's: due times and leases go by it on SQLite, and by the server's on PostgreSQL.
    """
    parsed = _parse(url)
    database = _open(parsed, clock)
    try:
        migrate(database, describe(parsed))
    except sa.exc.DBAPIError as error:
        database.close()
        raise Refused(
            f"{describe(parsed)} cannot be used as the relay's database: {_first_line(error)}",
            "Check that it is there, that it may be written, and that the user and the password are right.",
        ) from None
    except BaseException:
        database.close()
        raise
    return Inbox(database, clock)


def describe(url: sa.URL) -> str:
    """Return a database's URL without password and query."""
    parts = sa.URL.create(
        url.get_backend_name(), username=url.username, host=url.host, port=url.port, database=url.database
    )
    return parts.render_as_string()


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError("The relay's database URL cannot be understood.", FORMS) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"The relay cannot use a database of {backend!r}.", FORMS)
    if parsed.database in (None, "", ":memory:") or parsed.host or parsed.query:
        raise UsageError("The relay's database has to be a file: what is in memory is lost at the end.", FORMS)
    return parsed.set(drivername="sqlite+pysqlite")


def _open(url: sa.URL, clock: Callable[[], datetime]) -> Database:
    if url.get_backend_name() == "postgresql":
        return Postgresql(url)
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What people do is in there: it is nobody else's business on this machine.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Refused(
            f"{path} cannot be used as the relay's database: {error.strerror}", "Choose another path, or its rights."
        ) from None
    return Sqlite(url, clock)


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
