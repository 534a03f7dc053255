"""
The interface of the two databases: transactions, clocks, row locks, type names. sqlite.py and postgresql.py implement it.

All other modules use SQLAlchemy Core, and are the same for both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sfcode.relay.inbox.data_cipher import DataCipher
from sfcode.relay.inbox.inbox_clock import ClockReading, InboxClock

T = TypeVar("T", bound=tuple[Any, ...])
Result = TypeVar("Result")
InsertInto = Callable[[sa.Table], sqlite.Insert | postgresql.Insert]

BUSY_SECONDS = 30.0
"""The time in seconds for which commands wait for a connection, or for the lock of an SQLite file."""


class Transaction(NamedTuple):
    """A transaction, with the time at which it began."""

    database: Database
    db: sa.Connection
    now: datetime
    """The time at which the transaction began, by the inbox's clock, which all stored times use."""
    reading: ClockReading
    """The wall clock when the transaction began."""

    def to_wall(self, time: datetime) -> datetime:
        """Convert a stored time to the wall clock, to show it to people."""
        return time + self.database.clock.shift

    def to_stored(self, time: datetime) -> datetime:
        """Convert a time of the wall clock to a stored time."""
        return time - self.database.clock.shift

    def fetch(self, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Return the rows of a query; on SQLite they are parsed during iteration."""
        return self.database.fetch(self.db, query)


class RunTransaction(Protocol):
    """Runs a function in a new transaction."""

    def __call__(self, work: Callable[[Transaction], Result], /) -> Result:
        """Run a function with a transaction, and return its result."""
        ...


class Database(Protocol):
    """A database with the relay's tables."""

    type_names: Mapping[str, str]
    """The names of the database's column types, by their placeholders in migrations."""

    commits_at_once: int
    """The number of concurrent transactions of one process that are useful."""

    clock: InboxClock
    """The inbox's clock, from which jumps of the wall clock are removed."""

    cipher: DataCipher
    """Encrypts personal data."""

    has_many_writers: bool
    """Whether several processes can write at the same time."""

    writes_two_tables: bool
    """Whether one statement can insert into two tables."""

    def write(
        self, *, durable: bool = True, one_statement: bool = False
    ) -> contextlib.AbstractContextManager[Transaction]:
        """
        Begin a transaction that writes.

        A transaction that is not durable does not wait for the disk. A power failure may undo it, together with later
        transactions that are not durable, but never a durable one. With `one_statement`, the caller executes at most one
        statement, so that PostgreSQL can run it without separate statements for begin and commit.
        """

    def read(self, seconds: float | None = None) -> contextlib.AbstractContextManager[Transaction]:
        """Begin a read-only transaction, which blocks no writer; statements are cancelled after `seconds`."""

    @property
    def insert(self) -> InsertInto:
        """Begins an INSERT that supports ON CONFLICT."""

    def fetch(self, db: sa.Connection, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Return the rows of a query."""

    def update(self, db: sa.Connection, change: sa.Update, rows: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Execute an UPDATE and return the changed rows; `rows` selects the same rows, with the columns to return."""

    def lock(self, db: sa.Connection, lanes: sa.Select[Any]) -> None:
        """Lock lanes, waiting for other transactions."""

    def for_update_skip_locked(self, query: sa.Select[T]) -> sa.Select[T]:
        """Return a query that also locks its rows, without those that another transaction has locked."""

    def for_update(self, query: sa.Select[T]) -> sa.Select[T]:
        """Return a query that also locks its rows, waiting for other transactions."""

    def migrating(self) -> contextlib.AbstractContextManager[None]:
        """Hold a lock during a migration of several transactions, so that one process at a time runs it."""

    def lock_migrations(self, db: sa.Connection) -> None:
        """Lock the database for a migration of one transaction."""

    def close(self) -> None:
        """Close all connections."""
