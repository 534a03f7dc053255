"""A relay whose PostgreSQL fails over between two real servers, of which one at a time accepts writes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from sfcode.relay.inbox import Unavailable, open_inbox
from tests.relay import postgres
from tests.relay.inbox.samples import message
from tests.relay.serving import Relay, Served
from tests.waiting import until

SECONDS = 60.0
"""Seconds within which a failover must be complete, also on a busy machine."""


@contextlib.contextmanager
def on_tcp(url: str) -> Iterator[int]:
    """Return a TCP port that forwards to a server's Unix socket."""
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=forward, args=(listener.accept()[0],), daemon=True).start()

        def forward(client: socket.socket) -> None:
            with client, socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as ready:
                server.connect(f"{folder}/.s.PGSQL.5432")
                for source, target in ((client, server), (server, client)):
                    ready.register(source, selectors.EVENT_READ, target)
                with contextlib.suppress(OSError):
                    while True:
                        for key, _ in ready.select():
                            data = key.fileobj.recv(65536)
                            if not data:
                                return
                            key.data.sendall(data)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def take_writes(url: str, *, on: bool) -> None:
    """Make a server writable or read-only, as a promotion or demotion does."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET default_transaction_read_only = off")
        db.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'off' if on else 'on'}")
        db.execute("SELECT pg_reload_conf()")


def rows(url: str) -> int:
    with psycopg.connect(url) as db:
        return int(db.execute("SELECT count(*) FROM relay_inbox").fetchone()[0])  # type: ignore[index]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, str]]:
    """Return two servers, the first of which accepts writes, and a URL with both."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with postgres.server("fsync = off") as first, postgres.server("fsync = off") as second:
        for url in (first, second):
            open_inbox(url).close()
        take_writes(second, on=False)
        with on_tcp(first) as first_port, on_tcp(second) as second_port:
            yield first, second, f"postgresql://postgres@127.0.0.1:{first_port},127.0.0.1:{second_port}/postgres"


def test_a_failover_heals_in_seconds_and_loses_nothing(servers: tuple[str, str, str]) -> None:
    first, second, url = servers

    def script(served: Served) -> None:
        until(lambda: served.get("/readyz").status_code == 200)
        assert served.webhook(1).status_code == 200
        assert rows(first) == 1
        take_writes(first, on=False)
        until(lambda: served.webhook(2).status_code == 503)  # a session notices it a moment later
        until(lambda: served.get("/readyz").status_code == 503)
        assert "cannot be written" in served.get("/readyz").text or "does not answer" in served.get("/readyz").text
        take_writes(second, on=True)
        until(lambda: served.webhook(3).status_code == 200, seconds=SECONDS)
        until(lambda: served.get("/readyz").status_code == 200)
        assert rows(second) == 1

    Relay(url).serve(script)


def test_sessions_that_began_read_only_are_dropped(servers: tuple[str, str, str]) -> None:
    """A server was read-only for a moment, and a connection pool in front of it does not check its sessions."""
    first, _, _ = servers
    with open_inbox(f"{first}&target_session_attrs=any") as inbox:
        inbox.accept([message(1)])
        with inbox._database._engine.connect() as session:  # type: ignore[attr-defined]
            session.exec_driver_sql("SET default_transaction_read_only = on")
            session.commit()
        with pytest.raises(Unavailable, match="read only"):
            inbox.accept([message(2)])
        assert inbox.accept([message(2)]) == 1
