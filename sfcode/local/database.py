"""A crash-safe SQLite file, and its connections for many threads and processes."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from sfcode.errors import SfcodeError

BUSY_SECONDS = 30.0


class StateFile:
    """The SQLite file; each migration upgrades it by one version."""

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        with self._connection() as db:
            _migrate(db, path, migrations)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction, which excludes other writers and is rolled back on an exception."""
        with self._connection() as db, _begin(db, "BEGIN IMMEDIATE"):
            yield db

    def write_if_idle(self, write: Callable[[sqlite3.Connection], None]) -> bool:
        """Write in one transaction unless another connection is writing; return whether it was done."""
        with self._connection() as db:
            db.execute("PRAGMA busy_timeout = 0")
            try:
                with _begin(db, "BEGIN IMMEDIATE"):
                    write(db)
            except sqlite3.OperationalError:
                return False
            finally:
                db.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        return True

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a read transaction, which sees one consistent state."""
        with self._connection() as db, _begin(db, "BEGIN"):
            yield db

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._closed

    def check_open(self) -> None:
        """Raise SfcodeError if the file is closed, so that long work stops when the server does."""
        if self._closed:
            raise SfcodeError("the org was stopped")

    def close(self) -> None:
        """Close the connections; a connection in use is closed when it is released."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = self._idle.pop() if self._idle else None
        if db is None:
            db = _connect(self.path)
        try:
            yield db
        finally:
            with self._lock:
                keep = not self._closed and not db.in_transaction
                if keep:
                    self._idle.append(db)
            if not keep:
                db.close()


@contextlib.contextmanager
def _begin(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _to_wal(db)
            # In WAL mode, NORMAL loses nothing if the process is killed.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise SfcodeError(
            f"{path}: cannot be used as the state of a local org: {error}",
            "Check the folder's rights and the space on its disk.",
        ) from error
    return db


def _to_wal(db: sqlite3.Connection) -> None:
    # The busy timeout does not apply to the switch to WAL, and two processes may open a new file at the same time.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def read_migrations(folder: Path) -> tuple[str, ...]:
    """Read the SQL script of a package's folder that creates its tables, one text for each version of the tables."""
    return tuple((folder / "schema.sql").read_text("utf-8").split("-- next version\n"))


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    def version() -> int:
        return int(db.execute("PRAGMA user_version").fetchone()[0])

    if version() == len(migrations):
        return
    with _begin(db, "BEGIN IMMEDIATE"):
        if version() > len(migrations):
            raise SfcodeError(
                f"{path}: the state of this local org was written by a newer sfcode",
                "Use that version, or another folder with --state.",
            )
        for number in range(version(), len(migrations)):
            for statement in migrations[number].split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
