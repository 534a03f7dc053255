"""Databases for the relay's tests: each test has its own database on each engine, empty or with an empty inbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sfcode.relay.log import add_error
from tests.relay import postgres
from tests.relay.made_inboxes import PostgresqlInboxes, SqliteInbox


@pytest.fixture(autouse=True)
def short_logs() -> None:
    """Log errors by type and position as the relay does, since a traceback with all local variables takes a second."""
    renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(processors=[structlog.processors.add_log_level, add_error, renderer])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a PostgreSQL server, one for each test process, started on first use."""
    # Without fsync, since tests kill processes of the relay but cut no power. Without autovacuum, since it would update
    # the statistics for query plans at any time; tests run ANALYZE themselves.
    with postgres.server("fsync = off", "full_page_writes = off", "autovacuum = off") as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the URL of an empty database on PostgreSQL."""
    with postgres.schema(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'relay.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database, on each engine in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(scope="session")
def sqlite_inbox(tmp_path_factory: pytest.TempPathFactory) -> SqliteInbox:
    """Create an inbox on SQLite, of which tests get copies."""
    return SqliteInbox(tmp_path_factory.mktemp("inbox"))


@pytest.fixture(scope="session")
def postgres_inboxes(postgres_server: str) -> Iterator[PostgresqlInboxes]:
    """Return the inboxes on PostgreSQL that tests use one after another."""
    inboxes = PostgresqlInboxes(postgres_server)
    yield inboxes
    inboxes.close()


@pytest.fixture
def postgres_inbox_url(postgres_inboxes: PostgresqlInboxes) -> Iterator[str]:
    """Return the URL of an empty inbox on PostgreSQL."""
    with postgres_inboxes.take() as url:
        yield url


@pytest.fixture
def sqlite_inbox_url(sqlite_inbox: SqliteInbox, tmp_path: Path) -> str:
    """Return the URL of an empty inbox on SQLite."""
    return sqlite_inbox.copy_to(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database with an empty inbox, on each engine in turn."""
    is_sqlite = request.param == "sqlite"
    return str(request.getfixturevalue("sqlite_inbox_url" if is_sqlite else "postgres_inbox_url"))
