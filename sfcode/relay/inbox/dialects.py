"""
What differs between SQLite and PostgreSQL: transactions, clocks, row locks, type names. sqlite.py and postgresql.py have it.

Everything above is written once, in SQLAlchemy Core.
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
"""How long commands wait for a connection, or for the lock of a file."""


class Transaction(NamedTuple):
    """A transaction."""

    database: Database
    db: sa.Connection
    now: datetime
    """When it began, by the inbox's clock, which all stored times are of."""
    reading: ClockReading
    """The wall clock at that moment."""

    def to_wall(self, time: datetime) -> datetime:
        """Return a stored time as the wall clock has it, which is shown to people."""
        return time + self.database.clock.shift

    def to_stored(self, time: datetime) -> datetime:
        """Return a time of the wall clock as it is stored."""
        return time - self.database.clock.shift

    def fetch(self, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Return the rows of a query; on SQLite they are parsed as they are iterated."""
        return self.database.fetch(self.db, query)


class RunTransaction(Protocol):
    """Runs work in a transaction of its own."""

    def __call__(self, work: Callable[[Transaction], Result], /) -> Result:
        """Run it, and return what it returns."""
        ...


class Database(Protocol):
    """A database with the relay's tables."""

    words: Mapping[str, str]
    """Its names of column types."""

    commits_at_once: int
    """How many transactions of one process are worth committing side by side."""

    clock: InboxClock
    """Its clock without jumps."""

    cipher: DataCipher
    """What encrypts the data of people."""

    has_many_writers: bool
    """Whether several processes write at a time."""

    writes_two_tables: bool
    """Whether one statement can insert into two tables."""

    def write(
        self, *, durable: bool = True, one_statement: bool = False
    ) -> contextlib.AbstractContextManager[Transaction]:
        """
        Begin a transaction that writes.

        One that is not durable does not wait for the disk. A loss of power may undo it with all that were committed after
        it and are not durable either, and never with one that is. One that executes one statement at most, where the
        database can do everything in one, need not be begun and committed by statements of its own.
        """

    def read(self, seconds: float | None = None) -> contextlib.AbstractContextManager[Transaction]:
        """Begin a read-only transaction, which blocks no writer; each statement is ended after so many seconds."""

    @property
    def insert(self) -> InsertInto:
        """Begins an INSERT that supports ON CONFLICT."""

    def fetch(self, db: sa.Connection, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Return the rows of a query."""

    def update(self, db: sa.Connection, change: sa.Update, rows: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Execute an UPDATE and return, of each changed row, the columns of `rows`, which selects the same rows."""

    def lock(self, db: sa.Connection, lanes: sa.Select[Any]) -> None:
        """Lock lanes, waiting for other transactions."""

    def free(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, skipping those that another transaction has locked."""

    def held(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, waiting for other transactions."""

    def migrating(self) -> contextlib.AbstractContextManager[None]:
        """Let one process at a time migrate in several transactions."""

    def lock_migrations(self, db: sa.Connection) -> None:
        """Let one migrating transaction run at a time."""

    def close(self) -> None:
        """Close all connections."""
