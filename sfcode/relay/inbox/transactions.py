"""Run transactions, retry them after a deadlock, and translate errors of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox.database_errors import LOST, translate_error
from sfcode.relay.inbox.dialects import Database, Transaction
from sfcode.relay.inbox.types import Unavailable

T = TypeVar("T")
TRIES = 5


class TransactionRunner:
    """Runs the transactions of one database; reading statements are cancelled after `read_seconds`."""

    def __init__(self, database: Database, read_seconds: float | None = None) -> None:
        self._database = database
        self._read_seconds = read_seconds
        self.timed: Callable[[str, float], object] = lambda _operation, _seconds: None
        """Called with the operation of a transaction (`commit`, `claim` or `settle`) and the duration in seconds."""

    def _timed_write(
        self, operation: str, work: Callable[[Transaction], T], *, durable: bool = True, one_statement: bool = False
    ) -> T:
        """Run a transaction of a delivery, and report how long it took."""
        began = boot_time()
        try:
            return self._write(work, durable=durable, one_statement=one_statement)
        finally:
            self.timed(operation, boot_time() - began)

    def _write(self, work: Callable[[Transaction], T], *, durable: bool = True, one_statement: bool = False) -> T:
        """Run a transaction, and retry it after a deadlock or a serialization failure."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._database.write(durable=durable, one_statement=one_statement) as tx:
                    return work(tx)
            except sa.exc.DBAPIError as error:
                if not tries_left or getattr(error.orig, "sqlstate", "") not in LOST:
                    raise translate_error(error) from error
            except sa.exc.TimeoutError as error:
                raise Unavailable("The relay's database is too busy: no connection became free in time.") from error
        raise AssertionError("unreachable")

    def _read(self, work: Callable[[Transaction], T]) -> T:
        try:
            with self._database.read(self._read_seconds) as tx:
                return work(tx)
        except sa.exc.DBAPIError as error:
            raise translate_error(error) from error
        except sa.exc.TimeoutError as error:
            raise Unavailable("The relay's database is too busy: no connection became free in time.") from error
