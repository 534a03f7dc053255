"""Databases for the relay's tests: each test has its own, empty, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sfcode.relay.log import add_error
from tests.relay import postgres


@pytest.fixture(autouse=True)
def short_logs() -> None:
    """Log errors by type and place as the relay does: a trace with all local variables takes a second to write."""
    renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(processors=[structlog.processors.add_log_level, add_error, renderer])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server, one for each process of the test run, started when first asked for."""
    # Nobody cuts the power while tests run; what they kill are processes of the relay. And what the server counts of its
    # tables decides how it looks for rows: it counts when a test tells it to.
    with postgres.server("fsync = off", "full_page_writes = off", "autovacuum = off") as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of an empty database on PostgreSQL."""
    with postgres.schema(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a database on SQLite that is not there yet."""
    return f"sqlite:///{tmp_path / 'relay.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database, on one engine after the other."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
