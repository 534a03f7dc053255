"""
Everything that differs between SQLite and PostgreSQL: transactions, clocks, row locks, type names.

Everything above is written once, in SQLAlchemy Core.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox.column_types import UtcDateTime, decode_text
from sfcode.relay.inbox.data_cipher import NO_KEYS, DataCipher, use_cipher
from sfcode.relay.inbox.database_url import is_read_only
from sfcode.relay.inbox.inbox_clock import ClockReading, InboxClock

T = TypeVar("T", bound=tuple[Any, ...])
Result = TypeVar("Result")
InsertInto = Callable[[sa.Table], sqlite.Insert | postgresql.Insert]

BUSY_SECONDS = 30.0
"""How long commands wait for a connection, or for the lock of a file."""
STEPS = 10_000
"""Steps of SQLite's engine between two checks of the time, about 0.1 ms."""
_MIGRATION_LOCK = 0x5FC0DE01


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

    def write(self, *, durable: bool = True) -> contextlib.AbstractContextManager[Transaction]:
        """
        Begin a transaction that writes.

        One that is not durable does not wait for the disk. A loss of power may undo it with all that were committed after
        it and are not durable either, and never with one that is.
        """

    def read(self, seconds: float | None = None) -> contextlib.AbstractContextManager[Transaction]:
        """Begin a read-only transaction, which blocks no writer; each statement is ended after so many seconds."""

    @property
    def insert(self) -> InsertInto:
        """Begins an INSERT that supports ON CONFLICT."""

    def free(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, skipping those that another transaction has locked."""

    def held(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, waiting for other transactions."""

    def lock_migrations(self, db: sa.Connection) -> None:
        """Let one migrating transaction run at a time."""

    def close(self) -> None:
        """Close all connections."""


class Sqlite:
    """One file; one transaction writes at a time, by whichever thread or process."""

    words: Mapping[str, str] = MappingProxyType(
        {"id": "integer PRIMARY KEY AUTOINCREMENT", "text": "text", "moment": "text", "keyed": " WITHOUT ROWID"}
    )
    commits_at_once = 1
    insert = staticmethod(sqlite.insert)

    def __init__(
        self,
        url: sa.URL,
        wall_clock: Callable[[], datetime],
        boot_clock: Callable[[], float] = boot_time,
        busy_seconds: float = BUSY_SECONDS,
        cipher: DataCipher = NO_KEYS,
    ) -> None:
        self.clock = InboxClock()
        self._wall_clock = wall_clock
        self._boot_clock = boot_clock
        # With a pool of one, threads wait for the connection in turn instead of polling the file's lock.
        self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE", 1, busy_seconds)
        self._reader = _sqlite_engine(url, "BEGIN", 4, busy_seconds)
        self.cipher = cipher
        for engine in (self._writer, self._reader):
            use_cipher(engine, cipher)

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Begin a transaction that writes."""
        with self._writer.connect() as db, _synchronous(db, durable=durable), db.begin():
            yield self._begin(db)

    @contextlib.contextmanager
    def read(self, seconds: float | None = None) -> Iterator[Transaction]:
        """Begin a transaction that only reads."""
        with self._reader.begin() as db, _ended_after(db, seconds):
            yield self._begin(db)

    def _begin(self, db: sa.Connection) -> Transaction:
        before = self._boot_clock()
        reading = ClockReading(self._wall_clock(), before, self._boot_clock())
        return Transaction(self, db, self.clock.now(reading), reading)

    def free(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock nothing: the transaction has the whole file."""
        return lanes

    def held(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock nothing: the transaction has the whole file."""
        return lanes

    def lock_migrations(self, db: sa.Connection) -> None:
        """Go on: the transaction has the whole file."""

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        self._reader.dispose()


class Postgresql:
    """A server shared by any number of relay processes, which go by its clock."""

    words: Mapping[str, str] = MappingProxyType(
        {
            "id": "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "text": 'text COLLATE "C"',
            "moment": "timestamptz",
            "keyed": "",
        }
    )
    commits_at_once = 2
    insert = staticmethod(postgresql.insert)

    def __init__(
        self,
        url: sa.URL,
        boot_clock: Callable[[], float] = boot_time,
        busy_seconds: float = BUSY_SECONDS,
        cipher: DataCipher = NO_KEYS,
    ) -> None:
        self.clock = InboxClock()
        self._boot_clock = boot_clock
        self._engine = sa.create_engine(
            url,
            pool_size=5,
            max_overflow=5,
            pool_timeout=busy_seconds,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={name: value for name, value in _CONNECT.items() if name not in url.query},
        )
        self.cipher = cipher
        use_cipher(self._engine, cipher)
        self._generation = 0
        """Sessions of an earlier one are not used any more."""
        sa.event.listen(self._engine, "connect", _set_up)
        sa.event.listen(self._engine, "connect", self._mark)
        sa.event.listen(self._engine, "checkout", self._check)

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Begin a transaction; a pooled connection that broke is replaced."""
        with self._engine.connect() as db:
            try:
                reading = self._read_clock(db, durable=durable)
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                db.rollback()
                reading = self._read_clock(db, durable=durable)
            try:
                yield Transaction(self, db, self.clock.now(reading), reading)
                db.commit()
            except sa.exc.DBAPIError as error:
                if is_read_only(error):
                    # Sessions stay read only when their server was so as they began: all of them are replaced.
                    self._generation += 1
                    db.invalidate()
                raise

    @contextlib.contextmanager
    def read(self, seconds: float | None = None) -> Iterator[Transaction]:
        """Begin a transaction that only reads."""
        with self.write() as tx:
            if seconds is not None:
                tx.db.exec_driver_sql(f"SET LOCAL statement_timeout = {round(seconds * 1000)}")
            yield tx

    def _read_clock(self, db: sa.Connection, *, durable: bool) -> ClockReading:
        before = self._boot_clock()
        return ClockReading(_now(db, durable=durable), before, self._boot_clock())

    def _mark(self, _connection: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["generation"] = self._generation

    def _check(self, _connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: Any) -> None:
        if record.info.get("generation") != self._generation:
            raise sa.exc.DisconnectionError("a session of a server that was read only")

    def free(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, skipping those that another transaction has locked."""
        return lanes.with_for_update(skip_locked=True)

    def held(self, lanes: sa.Select[T]) -> sa.Select[T]:
        """Lock lanes, waiting for other transactions."""
        return lanes.with_for_update()

    def lock_migrations(self, db: sa.Connection) -> None:
        """Wait for other migrations. The lock and the lifted statement timeout end with the transaction."""
        db.exec_driver_sql("SET LOCAL statement_timeout = 0")
        db.exec_driver_sql("SET LOCAL lock_timeout = 0")
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


# A server that disappears without closing its connections is detected within a minute, also by a waiting statement.
_CONNECT = {
    "application_name": "sfcode relay",
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 45_000,
    "target_session_attrs": "read-write",
}
"""Options of libpq that are used unless the URL sets them."""


def _now(db: sa.Connection, *, durable: bool) -> datetime:
    """Read the clock, in the statement that says how the transaction is to be committed."""
    relaxed = () if durable else (sa.func.set_config("synchronous_commit", "off", sa.true()),)
    now: datetime = db.execute(sa.select(sa.func.clock_timestamp(type_=UtcDateTime), *relaxed)).one()[0]
    return now


def _set_up(connection: Any, _: object) -> None:
    """Set timeouts that free the locks of a frozen process, and synchronous commits."""
    connection.execute("SET idle_in_transaction_session_timeout = '10s'")
    # What another process has locked, frozen in the middle of a transaction, is waited for no longer than this.
    connection.execute("SET lock_timeout = '1s'")
    connection.execute("SET statement_timeout = '60s'")
    # There is an index for whatever is asked often. Of tables that filled up since they were last counted PostgreSQL
    # thinks that they are small, and reads and sorts all lanes that are due instead of following the index.
    connection.execute("SET enable_seqscan = off")
    connection.execute("SET enable_bitmapscan = off")
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _sqlite_engine(url: sa.URL, begin: str, pool_size: int, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=busy_seconds, hide_parameters=True,
        connect_args={"timeout": busy_seconds},
    )  # fmt: skip

    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, later and otherwise
        connection.text_factory = decode_text
        _to_wal(connection, busy_seconds)
        # An answered message survives a loss of power, not only the end of the process.
        connection.execute("PRAGMA synchronous = FULL")

    sa.event.listen(engine, "connect", connect)
    sa.event.listen(engine, "begin", lambda db: db.exec_driver_sql(begin))
    return engine


@contextlib.contextmanager
def _synchronous(db: sa.Connection, *, durable: bool) -> Iterator[None]:
    """Have a transaction that is not durable committed without waiting for the disk."""
    if durable:
        yield
        return
    connection: Any = db.connection.dbapi_connection
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        connection.execute("PRAGMA synchronous = FULL")


@contextlib.contextmanager
def _ended_after(db: sa.Connection, seconds: float | None) -> Iterator[None]:
    """Interrupt a transaction's statements after a while."""
    if seconds is None:
        yield
        return
    connection: Any = db.connection.dbapi_connection
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    # The busy timeout does not cover the switch to WAL, and two processes may open a new file together.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
