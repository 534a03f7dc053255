"""One client that uses all available resources: other clients and health checks are still answered."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sfcode.relay.connections import Awaits, ConnectionLimits, ConnectionTable
from sfcode.relay.ingress.client_address import Address, name_client, networks, parse_address
from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.responses import HttpError
from tests.relay.ingress import asking
from tests.relay.ingress.asking import TOKEN, event, project
from tests.relay.ingress.served import Serving, answer, head, serving
from tests.relay.serving import ADMIN, WEBHOOK, Relay, Served
from tests.waiting import PATIENCE, until

OTHER = "127.0.0.2"
"""Another client than 127.0.0.1, on this machine."""
BODY = json.dumps(event()).encode()
SIGNED = "webhook_auth: {scheme: hmac, header: X-Signature}"


@pytest.fixture
def relay(sqlite_url: str) -> Relay:
    return Relay(sqlite_url)


def ask(served: Served, path: str, *, source: str = OTHER, body: bytes | None = None, url: str = "") -> tuple[int, str]:
    """Send a request from an address of this machine over a new connection."""
    connection = HTTPConnection(urlsplit(url or served.url).netloc, timeout=PATIENCE, source_address=(source, 0))
    with contextlib.closing(connection):
        kind = {"Content-Type": "application/json"} if body else {}
        connection.request("POST" if body else "GET", path, body, kind)
        response = connection.getresponse()
        return response.status, response.read().decode()


def send_event(served: Served, number: int, source: str = OTHER) -> int:
    body = json.dumps({"name": "appcues:flow_completed", "user_id": f"u{number}"}).encode()
    return ask(served, f"/webhooks/appcues/{WEBHOOK}", source=source, body=body)[0]


def connect(served: Served, source: str = "127.0.0.1") -> socket.socket:
    address = urlsplit(served.url)
    return socket.create_connection((address.hostname, address.port), timeout=PATIENCE, source_address=(source, 0))


def refused(served: Served, reason: str, source: str = "") -> float:
    return served.service.instrumentation.metrics.refused.labels(source, reason)._value.get()


def test_a_thousand_idle_connections_of_one_client_do_not_block_others(relay: Relay) -> None:
    def script(served: Served) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(connect(served))
            assert [send_event(served, number) for number in range(3)] == [200] * 3
            assert ask(served, "/healthz", source="127.0.0.1")[0] == 200, "the greedy client itself"
            assert send_event(served, 4, source="127.0.0.1") == 200
            assert refused(served, "client_connections") >= 500

    relay.serve(script)


def test_connections_that_wait_for_the_relay_stay_open_and_health_checks_are_answered(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[ConnectionTable] = []

    def make_table(_limits: ConnectionLimits, *arguments: Any) -> ConnectionTable:
        tables.append(ConnectionTable(ConnectionLimits(most=4, of_peer=2, spare=9), *arguments))
        return tables[-1]

    def read_awaits() -> list[Awaits]:
        return [connection.awaits for peer in list(tables[-1]._peers.values()) for connection in list(peer)]

    monkeypatch.setattr("sfcode.relay.server.ConnectionTable", make_table)
    go = threading.Event()

    def script(served: Served) -> None:
        accept = served.service.inbox.accept_each

        def slow(groups: Any) -> tuple[int, ...]:
            go.wait(PATIENCE)
            return accept(groups)

        monkeypatch.setattr(served.service.inbox, "accept_each", slow)
        answers: list[int] = []
        senders = [
            threading.Thread(target=lambda number=number: answers.append(send_event(served, number, "127.0.0.1")))
            for number in range(2)
        ]
        for sender in senders:
            sender.start()
        try:
            until(lambda: read_awaits() == [Awaits.ANSWER] * 2, "two requests that the relay has")
            assert ask(served, "/nothing", source="127.0.0.1")[0] == 503
            assert ask(served, "/healthz", source="127.0.0.1")[0] == 200
            assert ask(served, "/metrics", source="127.0.0.1")[0] == 200
            assert ask(served, "/healthz")[0] == 200
        finally:
            go.set()
        for sender in senders:
            sender.join(PATIENCE)
        assert answers == [200, 200]

    relay.serve(script)


def test_an_admin_port_serves_the_dashboard_and_the_other_port_does_not(relay: Relay) -> None:
    relay.has_admin_port = True
    relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN

    def script(served: Served) -> None:
        assert {path: ask(served, path)[0] for path in ("/healthz", "/metrics", "/")} == {
            "/healthz": 200,
            "/metrics": 404,
            "/": 404,
        }
        webhook = f"/webhooks/appcues/{WEBHOOK}"
        paths = ("/healthz", "/readyz", "/metrics", "/", webhook)
        until(lambda: ask(served, "/readyz")[0] == 200)
        assert [ask(served, path, url=served.admin_url)[0] for path in paths] == [200, 200, 401, 401, 404]
        assert send_event(served, 1) == 200

    relay.serve(script)


def test_unfinished_requests_of_one_client_do_not_block_others(tmp_path: Path) -> None:
    project(tmp_path)
    good = head(asking.WEBHOOK, f"Content-Length: {len(BODY)}") + BODY
    with (
        serving(tmp_path / "config", body_seconds=20.0, client_requests=2) as served,
        unfinished(served, path=asking.WEBHOOK),
        unfinished(served, path=asking.WEBHOOK),
        served.connect() as greedy,
        served.connect(OTHER) as other_client,
    ):
        greedy.sendall(good)
        assert answer(greedy)[0] == 503
        other_client.sendall(good)
        assert answer(other_client)[0] == 200


class TestUnsignedBodies:
    """Bodies whose sender is authenticated only when they are complete."""

    def test_unfinished_bodies_of_one_client_do_not_block_others(self, tmp_path: Path) -> None:
        project(tmp_path, SIGNED)
        with serving(tmp_path / "config", body_seconds=20.0) as served, contextlib.ExitStack() as stack:
            for _ in range(250):
                stack.enter_context(unfinished(served))
            assert (signed(served, OTHER)[0], signed(served, "127.0.0.1")[0]) == (200, 503)

    def test_the_client_behind_a_trusted_proxy_counts_and_not_the_proxy(self, tmp_path: Path) -> None:
        project(tmp_path, f"{SIGNED}, trusted_proxies: [127.0.0.1/32]")
        limits = {"body_seconds": 20.0, "client_unsigned": 3}
        greedy, modest = ("X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2")
        with serving(tmp_path / "config", **limits) as served, contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(unfinished(served, greedy))
            assert signed(served, "127.0.0.1", modest)[0] == 200
            assert signed(served, "127.0.0.1", greedy)[0] == 503

    def test_forwarding_headers_of_an_untrusted_proxy_are_ignored(self, tmp_path: Path) -> None:
        project(tmp_path, SIGNED)
        with (
            serving(tmp_path / "config", body_seconds=20.0, client_unsigned=3) as served,
            contextlib.ExitStack() as stack,
        ):
            for number in range(3):
                stack.enter_context(unfinished(served, f"X-Forwarded-For: 203.0.113.{number}"))
            assert signed(served, "127.0.0.1", "X-Forwarded-For: 203.0.113.9")[0] == 503
            assert signed(served, OTHER)[0] == 200


def unfinished(served: Serving, *headers: str, path: str = "/webhooks/appcues") -> socket.socket:
    """Send a body without its last byte, and wait until it is received."""
    connection = served.connect()
    connection.sendall(head(path, "X-Signature: 00", "Expect: 100-continue", "Content-Length: 2", *headers))
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(b"{")
    return connection


def signed(served: Serving, source: str, *headers: str) -> tuple[int, str, bytes]:
    signature = hmac.new(TOKEN.encode(), BODY, hashlib.sha256).hexdigest()
    with served.connect(source) as connection:
        start = head("/webhooks/appcues", f"X-Signature: {signature}", f"Content-Length: {len(BODY)}", *headers)
        connection.sendall(start + BODY)
        return answer(connection)


class TestWorkInProgress:
    """The accounting of bodies that are being received."""

    LIMITS = IngressLimits(held_bytes=100, reserved_bytes=30, small_bytes=10, client_bytes=50, client_requests=2)

    def test_large_bodies_leave_room_for_small_ones(self) -> None:
        work = WorkInProgress(self.LIMITS)
        work.take("a", 0, 35)
        work.take("b", 0, 35)
        with pytest.raises(HttpError) as large:
            work.take("c", 0, 11)
        assert (large.value.status, large.value.detail) == (503, "too_many_bodies")
        work.take("c", 0, 10)
        with pytest.raises(HttpError):
            work.take("c", 10, 1)
        work.give_back("a", 35)
        work.take("c", 10, 1)

    def test_one_client_cannot_use_the_whole_budget(self) -> None:
        work = WorkInProgress(self.LIMITS)
        work.take("a", 0, 50)
        with pytest.raises(HttpError) as more:
            work.take("a", 0, 1)
        assert more.value.detail == "client_bodies"
        work.take("b", 0, 20)
        work.give_back("a", 50)
        work.take("a", 0, 50)

    def test_requests_count_while_they_are_worked_on(self) -> None:
        work = WorkInProgress(self.LIMITS)
        with work.request("a"), work.request("a"):
            with pytest.raises(HttpError) as third, work.request("a"):
                pass
            assert third.value.detail == "client_requests"
            with work.request("b"):
                pass
        with work.request("a"):
            pass
        assert not work._requests, "who has nothing in progress is forgotten"


class Line:
    """A connection in the table."""

    def __init__(self, peer: str, awaits: Awaits = Awaits.HEAD) -> None:
        self.peer: Address | None = parse_address(peer)
        self.awaits = awaits
        self.ended = False

    def end(self) -> None:
        self.ended = True


class TestConnectionTable:
    """The choice of the connection that is closed in favor of a new one."""

    def table(self, *, most: int = 6, of_peer: int = 3, spare: int = 1) -> ConnectionTable:
        proxies = networks(("10.0.0.0/8",))
        return ConnectionTable(ConnectionLimits(most=most, of_peer=of_peer, spare=spare), lambda: proxies)

    def test_connections_without_a_request_are_closed_before_those_with_a_body_oldest_first(self) -> None:
        table = self.table()
        lines = [Line("1.1.1.1", awaits) for awaits in (Awaits.BODY, Awaits.HEAD, Awaits.HEAD)]
        assert all(map(table.add, lines))
        assert table.add(Line("1.1.1.1", Awaits.ANSWER))
        assert [line.ended for line in lines] == [False, True, False]
        assert table.add(Line("1.1.1.1", Awaits.ANSWER))
        assert table.add(Line("1.1.1.1"))
        assert [line.ended for line in lines] == [True, True, True]

    def test_connections_that_wait_for_the_relay_stay_and_excess_ones_are_closed(self) -> None:
        table = self.table()
        lines = [Line("1.1.1.1", Awaits.ANSWER) for _ in range(3)]
        assert all(map(table.add, lines))
        spare, beyond = Line("1.1.1.1", Awaits.ANSWER), Line("1.1.1.1")
        assert not table.add(spare)
        assert not table.add(beyond)
        assert [line.ended for line in (*lines, spare, beyond)] == [False] * 4 + [True]
        assert table.add(Line("2.2.2.2")), "another client"

    def test_a_full_table_closes_connections_of_the_largest_client(self) -> None:
        table = self.table()
        modest, greedy = [Line("2.2.2.2")], [Line("1.1.1.1") for _ in range(3)]
        assert all(map(table.add, [*modest, *greedy, Line("3.3.3.3"), Line("4.4.4.4")]))
        assert table.add(Line("5.5.5.5"))
        assert [line.ended for line in (*modest, *greedy)] == [False, True, False, False]

    def test_a_trusted_proxy_may_use_all_connections(self) -> None:
        table = self.table()
        lines = [Line("10.1.2.3") for _ in range(6)]
        assert all(map(table.add, lines))
        assert not any(line.ended for line in lines)

    def test_closed_connections_no_longer_count(self) -> None:
        table = self.table()
        lines = [Line("1.1.1.1", Awaits.ANSWER) for _ in range(3)]
        for line in lines:
            table.add(line)
        table.remove(lines[0])
        table.remove(lines[0])
        assert table.add(Line("1.1.1.1"))
        for line in lines:
            table.remove(line)


@pytest.mark.parametrize(
    ("first_address", "other_address", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_client_is_its_network(first_address: str, other_address: str, is_same: bool) -> None:
    assert (name_client(parse_address(first_address)) == name_client(parse_address(other_address))) is is_same
