"""Open an inbox by URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from sfcode.errors import Refused
from sfcode.relay.clock import boot_time, read_boot_id
from sfcode.relay.inbox.data_cipher import DataCipher
from sfcode.relay.inbox.database_url import describe_database, first_line, hint_for_error, parse_database_url
from sfcode.relay.inbox.dialects import BUSY_SECONDS, Database
from sfcode.relay.inbox.encryption import CHECK, check_keys
from sfcode.relay.inbox.inbox import Inbox
from sfcode.relay.inbox.inbox_clock import InboxClock
from sfcode.relay.inbox.migrations import migrate
from sfcode.relay.inbox.postgresql import Postgresql
from sfcode.relay.inbox.sqlite import Sqlite
from sfcode.relay.inbox.state import recall, start_clock
from sfcode.relay.inbox.types import MissingInbox
from sfcode.secret import Secret


def now() -> datetime:
    """Read this machine's clock."""
    return datetime.now(UTC)


def open_inbox(
    url: str,
    *,
    clock: Callable[[], datetime] = now,
    boot_clock: Callable[[], float] = boot_time,
    boot_id: str | None = None,
    create: bool = True,
    busy_seconds: float | None = None,
    keys: Sequence[Secret] = (),
) -> Inbox:
    """
    Open the inbox of a database, and migrate its tables to the schema of this version.

    `clock` is this machine's wall clock, which is used on SQLite; PostgreSQL uses the server's. `boot_clock` returns the
    seconds since boot, by which jumps of the wall clock are detected; `boot_id` identifies that boot, and is needed only
    with another `boot_clock`. Without `create`, a database without tables of the relay is refused.
    `busy_seconds` is how long a transaction waits for a connection and, on SQLite, for the file lock. `keys` encrypt
    personal data, the newest first.

    Raises:
        Refused: The database cannot be used, or cannot be decrypted with these keys.
        UsageError: The URL is malformed.

    """
    parsed = parse_database_url(url)
    name = describe_database(parsed)
    if boot_id is None:
        boot_id = read_boot_id() if boot_clock is boot_time else ""
    inbox_clock = InboxClock(boot_id)
    seconds = BUSY_SECONDS if busy_seconds is None else busy_seconds
    database = _open(parsed, inbox_clock, clock, boot_clock, seconds, cipher=DataCipher(keys), create=create)
    try:
        migrate(database, name, create=create)
        with database.read() as tx:
            start_clock(tx)
            has_check = recall(tx, CHECK) is not None
        if keys or has_check:
            with database.write() as tx:
                check_keys(tx, name)
    except sa.exc.DBAPIError as error:
        database.close()
        raise Refused(
            f"{name} cannot be used as the relay's database: {first_line(error)}", hint_for_error(error)
        ) from None
    except BaseException:
        database.close()
        raise
    return Inbox(database)


def _open(
    url: sa.URL,
    inbox_clock: InboxClock,
    clock: Callable[[], datetime],
    boot_clock: Callable[[], float],
    busy_seconds: float,
    *,
    cipher: DataCipher,
    create: bool,
) -> Database:
    if url.get_backend_name() == "postgresql":
        return Postgresql(url, inbox_clock, boot_clock, busy_seconds, cipher=cipher)
    path = Path(url.database or "")
    if not create and not path.exists():
        raise MissingInbox(f"at {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file contains personal data, which other users of this machine must not read.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Refused(
            f"{path} cannot be used as the relay's database: {error.strerror}",
            "Set another path in SFCODE_RELAY_DATABASE_URL, or change the file's permissions.",
        ) from None
    return Sqlite(url, inbox_clock, clock, boot_clock, busy_seconds, cipher=cipher)
