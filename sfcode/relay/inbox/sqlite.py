"""The inbox in an SQLite file."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.column_types import decode_text
from sfcode.relay.inbox.data_cipher import NO_KEYS, DataCipher, use_cipher
from sfcode.relay.inbox.dialects import T, Transaction
from sfcode.relay.inbox.inbox_clock import ClockReading, InboxClock
from sfcode.relay.inbox.types import Unavailable

STEPS = 10_000
"""Instructions of SQLite's virtual machine between two checks of the time, about 0.1 ms."""
BESIDE = ("-wal", "-shm")
"""The suffixes that SQLite appends to the name of a database for its other files, which contain the newest
transactions."""
_FILES = "files"
"""The key under which the files of a connection are stored in SQLAlchemy's `info` of the connection."""

FileId = tuple[int, int] | None
"""Device and inode of a file; None for a missing file."""


class Sqlite:
    """An SQLite file, to which one transaction of all threads and processes writes at a time."""

    type_names: Mapping[str, str] = MappingProxyType(
        {"id": "integer PRIMARY KEY AUTOINCREMENT", "text": "text", "moment": "text", "keyed": " WITHOUT ROWID"}
    )
    commits_at_once = 1
    has_many_writers = False
    writes_two_tables = False
    insert = staticmethod(sqlite.insert)

    def __init__(
        self,
        url: sa.URL,
        clock: InboxClock,
        wall_clock: Callable[[], datetime],
        boot_clock: Callable[[], float],
        busy_seconds: float,
        *,
        cipher: DataCipher = NO_KEYS,
    ) -> None:
        self.clock = clock
        self._wall_clock = wall_clock
        self._boot_clock = boot_clock
        self._files = _files(url)
        self._file = _identify(self._files[:1])
        # With a pool of one connection, threads wait for it in turn instead of polling the file lock.
        self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE", 1, busy_seconds)
        self._reader = _sqlite_engine(url, "BEGIN", 4, busy_seconds)
        self.cipher = cipher
        for engine in (self._writer, self._reader):
            use_cipher(engine, cipher)
            # A connection to a missing file would create an empty one.
            sa.event.listen(engine, "do_connect", lambda *_: self._check(self._file, self._files[:1]))

    @contextlib.contextmanager
    def write(self, *, durable: bool = True, one_statement: bool = False) -> Iterator[Transaction]:  # noqa: ARG002
        """Begin a transaction that writes."""
        with self._writer.connect() as db, self._in_place(db), _synchronous(db, durable=durable), db.begin():
            yield self._begin(db)

    @contextlib.contextmanager
    def read(self, seconds: float | None = None) -> Iterator[Transaction]:
        """Begin a transaction that only reads."""
        with self._reader.begin() as db, self._in_place(db), _ended_after(db, seconds):
            yield self._begin(db)

    @contextlib.contextmanager
    def _in_place(self, db: sa.Connection) -> Iterator[None]:
        """
        Raise Unavailable unless the files of a connection have the same paths before and after a transaction.

        SQLite continues to write to files that were moved, replaced or removed, but no later process finds their
        content. So a message is acknowledged only if its transaction is in the present files.
        """
        self._check(db.info[_FILES], self._files)
        yield
        self._check(db.info[_FILES], self._files)

    def _check(self, opened: Sequence[FileId], files: Sequence[Path]) -> None:
        if opened != _identify(files):
            raise Unavailable(
                f"{files[0]}, or a file beside it, was moved, replaced or removed while the relay used it.",
                "Put the files back, or restart the relay to use the files that are there now.",
            )

    def _begin(self, db: sa.Connection) -> Transaction:
        before = self._boot_clock()
        reading = ClockReading(self._wall_clock(), before, self._boot_clock())
        return Transaction(self, db, self.clock.now(reading), reading)

    def fetch(self, db: sa.Connection, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """
        Return rows, which SQLite returns as one JSON text.

        sqlite3 releases the GIL for every row that it fetches, and may wait `SWITCH_SECONDS` to get it back while requests
        keep it busy. A claim would wait that long for each of its rows, with the file locked.
        """
        columns = [_as_json(*pair) for pair in zip(query.subquery("rows").c, query.selected_columns, strict=True)]
        array: str = db.execute(sa.select(sa.func.json_group_array(sa.func.json_array(*columns)))).scalar_one()
        return _JsonRows(array, [column.type.result_processor(db.dialect, None) for column in query.selected_columns])

    def update(self, db: sa.Connection, change: sa.Update, rows: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        """Change rows, then read them. The transaction has locked the whole file, so no other can change them in between."""
        db.execute(change)
        return self.fetch(db, rows)

    def lock(self, db: sa.Connection, lanes: sa.Select[Any]) -> None:
        """Do nothing: a writing transaction has locked the whole file."""

    def for_update_skip_locked(self, query: sa.Select[T]) -> sa.Select[T]:
        """Return the query unchanged: a writing transaction has locked the whole file."""
        return query

    def for_update(self, query: sa.Select[T]) -> sa.Select[T]:
        """Return the query unchanged: a writing transaction has locked the whole file."""
        return query

    def migrating(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: on SQLite a migration is one transaction."""
        return contextlib.nullcontext()

    def lock_migrations(self, db: sa.Connection) -> None:
        """Do nothing: a writing transaction has locked the whole file."""

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        self._reader.dispose()


def _sqlite_engine(url: sa.URL, begin: str, pool_size: int, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=busy_seconds, hide_parameters=True,
        connect_args={"timeout": busy_seconds},
    )  # fmt: skip

    def connect(connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # turns off the implicit BEGIN of sqlite3
        connection.text_factory = decode_text
        _to_wal(connection, busy_seconds)
        # An acknowledged message survives a power failure, not only the end of the process.
        connection.execute("PRAGMA synchronous = FULL")
        # The statement journal of an INSERT with many rows is kept in memory instead of a temporary file.
        connection.execute("PRAGMA temp_store = MEMORY")
        # The first read opens the files beside the database.
        connection.execute("PRAGMA schema_version").fetchone()
        record.info[_FILES] = _identify(_files(url))

    sa.event.listen(engine, "connect", connect)
    sa.event.listen(engine, "begin", lambda db: db.exec_driver_sql(begin))
    return engine


def _files(url: sa.URL) -> tuple[Path, ...]:
    """Return the paths of a database and of its other files."""
    return tuple(Path(f"{url.database}{ending}") for ending in ("", *BESIDE))


def _identify(files: Iterable[Path]) -> tuple[FileId, ...]:
    ids: list[FileId] = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            ids.append(None)
        else:
            ids.append((status.st_dev, status.st_ino))
    return tuple(ids)


def _as_json(column: sa.ColumnElement[Any], source: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the SQL that makes a column valid JSON: damaged rows may have bytes instead of text, or any type for a number."""
    if isinstance(column.type, sa.Text | TypeDecorator):
        return sa.cast(column, sa.Text)
    is_number = sa.func.typeof(column) == sa.literal_column("'integer'")
    return sa.case((is_number, column)) if isinstance(source, sa.Column) else column


@dataclass(frozen=True, slots=True)
class _JsonRows:
    """Rows as a JSON text, which is parsed during iteration, so that it can happen after the transaction."""

    array: str
    read_column: Sequence[Callable[[Any], Any] | None]

    def __iter__(self) -> Iterator[Any]:
        for row in json.loads(self.array):
            yield [value if read is None else read(value) for read, value in zip(self.read_column, row, strict=True)]


@contextlib.contextmanager
def _synchronous(db: sa.Connection, *, durable: bool) -> Iterator[None]:
    """Commit a transaction that is not durable without waiting for the disk."""
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
    """Interrupt the statements of a transaction after a number of seconds."""
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
    # The busy timeout does not apply to the switch to WAL, and two processes may open a new file at the same time.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
