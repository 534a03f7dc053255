"""The routes on a real socket: hostile use of HTTP, and its cost."""

from __future__ import annotations

import contextlib
import itertools
import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.ingress.asking import MESSAGE, WEBHOOK, event, project
from tests.relay.ingress.served import Serving, answer, head, serving
from tests.relay.ingress.test_messages import XML, wire
from tests.waiting import PATIENCE, until

GOOD = json.dumps(event()).encode()
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    project(folder)
    with serving(folder / "config", body_seconds=1.0, LINGER_SECONDS=0.3, HEAD_SECONDS=1.0) as process:
        yield process


def send_pieces(served: Serving, *pieces: bytes) -> tuple[int, str, bytes]:
    with served.connect() as connection:
        for piece in pieces:
            connection.sendall(piece)
        return answer(connection)


def good(*headers: str) -> bytes:
    return head(WEBHOOK, f"Content-Length: {len(GOOD)}", *headers) + GOOD


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_hung_up(connection: socket.socket) -> bool:
    """Wait for the other side to close the connection."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def test_a_webhook_and_a_message_are_taken(served: Serving) -> None:
    assert send_pieces(served, good())[0] == 200
    body = wire()
    status, _, ack = send_pieces(served, head(MESSAGE, f"Content-Length: {len(body)}", kind=XML) + body)
    assert (status, ack.count(b"<Ack>true</Ack>")) == (200, 1)
    assert {entry["key"] for entry in served.stored()} >= {"user:user-1", "user:1001"}


def test_chunks_of_one_byte_make_a_body(served: Serving) -> None:
    pieces = [chunk(GOOD[index : index + 1]) for index in range(len(GOOD))]
    assert send_pieces(served, head(WEBHOOK, "Transfer-Encoding: chunked"), *pieces, b"0\r\n\r\n")[0] == 200


def test_a_refused_request_with_expect_100_continue_sends_no_body(served: Serving) -> None:
    """curl sends this header with bodies above a megabyte."""
    with served.connect() as connection:
        connection.sendall(head(WEBHOOK, "Content-Length: 100000000", "Expect: 100-continue"))
        assert answer(connection)[0] == 413
    with served.connect() as connection:
        connection.sendall(head(WEBHOOK, f"Content-Length: {len(GOOD)}", "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(GOOD)
        assert answer(connection)[0] == 200


@pytest.mark.parametrize("path", [WEBHOOK, "/webhooks/appcues/wrong", MESSAGE, "/nothing"])
def test_a_client_that_keeps_sending_gets_its_response_and_is_disconnected(served: Serving, path: str) -> None:
    with served.connect() as connection:
        connection.sendall(head(path, "Content-Length: 100000000"))
        status, text, _ = answer(connection)
        assert (status, "connection: close" in text) == ({WEBHOOK: 413, MESSAGE: 415}.get(path, status), False)
        assert status in (401, 404, 413, 415)
        connection.settimeout(0.02)
        end = time.monotonic() + PATIENCE
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                connection.sendall(b" ")
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b"":
                        return
        assert time.monotonic() < end


def test_a_client_that_completes_its_request_after_the_response_keeps_its_connection(served: Serving) -> None:
    with served.connect() as connection:
        connection.sendall(head(WEBHOOK, f"Content-Length: {2 * MIB}"))
        assert answer(connection)[0] == 413
        connection.sendall(b" " * (2 * MIB))
        connection.sendall(good())
        assert answer(connection)[0] == 200


def test_a_slowly_sent_body_is_refused(served: Serving) -> None:
    """The time limit is for the whole body, and single bytes do not extend it."""
    with served.connect() as connection:
        connection.sendall(head(WEBHOOK, "Content-Length: 1000"))
        while not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(b" ")
        status, text, _ = answer(connection)
        assert (status, "connection: close" in text) == (408, True)
        assert is_hung_up(connection)


@pytest.mark.parametrize("start", [b"", b"P", b"POST /webhooks/appcues HTTP/1.1\r\nHost:"])
def test_an_endless_request_head_is_refused(served: Serving, start: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(start)
        assert is_hung_up(connection)


@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([b"GARBAGE\r\n\r\n"], {400}),
        ([b"POST  HTTP/1.1\r\n\r\n"], {400}),
        ([head(WEBHOOK, "Transfer-Encoding: chunked"), b"zz\r\n"], {400}),
        ([head(WEBHOOK, "Transfer-Encoding: chunked"), b"ffffffffffffffffff\r\n"], {400}),
        ([head(WEBHOOK, "X: " + "a" * 100_000)], {431, 0}),
        ([head(WEBHOOK, *(f"X-{number}: a" for number in range(20_000)))], {431, 0}),
        ([head("/" + "a" * 100_000)], {431, 414, 400, 0}),
        ([head(WEBHOOK, "Bad Name: x")], {400}),
        ([head(WEBHOOK, "X: a\0b", "Content-Length: 0")], {400}),
        ([good("Upgrade: websocket", "Connection: Upgrade")], {200}),
        ([good("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings")], {200}),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], {400}),
        ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], {400}),
    ],
)
def test_invalid_http_is_refused(served: Serving, pieces: list[bytes], statuses: set[int]) -> None:
    try:
        status = send_pieces(served, *pieces)[0]
    except ConnectionError:
        status = 0
    assert status in statuses


LENGTH = f"Content-Length: {len(GOOD)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = chunk(GOOD) + b"0\r\n\r\n"
START = f"POST {WEBHOOK} HTTP/1.1\r\n".encode()
REST = f"Content-Type: application/json\r\n{LENGTH}\r\n\r\n".encode() + GOOD


@pytest.mark.parametrize(
    "request_bytes",
    [
        head(WEBHOOK, LENGTH, CHUNKED) + CHUNKS,
        head(WEBHOOK, LENGTH, f"Content-Length: {len(GOOD) - 1}") + GOOD,
        head(WEBHOOK, LENGTH.replace(": ", ": +")) + GOOD,
        head(WEBHOOK, f"{LENGTH}, {len(GOOD)}") + GOOD,
        head(WEBHOOK, LENGTH.replace(":", " :")) + GOOD,
        head(WEBHOOK, "Transfer-Encoding: gzip, chunked") + CHUNKS,
        head(WEBHOOK, "Transfer-Encoding: xchunked", LENGTH) + GOOD,
        head(WEBHOOK, "Transfer-Encoding: identity", LENGTH) + GOOD,
        head(WEBHOOK, CHUNKED, CHUNKED) + CHUNKS,
        head(WEBHOOK, CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKS,
        head(WEBHOOK, CHUNKED) + CHUNKS.replace(b"\r\n", b"\n", 1),
        head(WEBHOOK, CHUNKED) + CHUNKS.replace(b"\r\n", b" \r\n", 1),
        head(WEBHOOK, CHUNKED) + b"0x" + CHUNKS,
        head(WEBHOOK, CHUNKED) + CHUNKS.replace(b"\r\n", b";a\nb\r\n", 1),
        head(WEBHOOK, LENGTH).replace(b"\r\n", b"\n") + GOOD,
        head(WEBHOOK, LENGTH).replace(b"\r\n", b"\n", 1) + GOOD,
        head(WEBHOOK, "X: a\nY: b", LENGTH) + GOOD,
        head(WEBHOOK, "X: a\rY: b", LENGTH) + GOOD,
        head(WEBHOOK, "X: a\r\n b", LENGTH) + GOOD,
        head(WEBHOOK, LENGTH.replace(": ", ":\r\n ")) + GOOD,
        START + b" X: a\r\nHost: x\r\n" + REST,
        START + REST,
        START + b"Host: x\r\nHost: y\r\n" + REST,
        START + b"Host: x y\r\n" + REST,
        START + b"Host: x/y\r\n" + REST,
        START.replace(b" HTTP/1.1", b"") + b"Host: x\r\n" + REST,
        START.replace(b"HTTP/1.1", b"HTTP/2.0") + b"Host: x\r\n" + REST,
        START.replace(b"HTTP/1.1", b"HTTP/0.9") + b"Host: x\r\n" + REST,
    ],
)
def test_requests_that_rfc_9112_requires_to_refuse_are_refused(served: Serving, request_bytes: bytes) -> None:
    """A proxy may parse each of these differently, and treat a part as another request."""
    count = len(served.stored())
    assert send_pieces(served, request_bytes)[0] == 400
    assert len(served.stored()) == count


@pytest.mark.parametrize("rest", [b"NONSENSE\r\n\r\n", START + REST, START + b"X: " + b"a" * 100_000, START + b"Host:"])
def test_a_refused_request_does_not_change_the_answer_of_the_previous_one(served: Serving, rest: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(good() + rest)
        assert answer(connection)[0] == 200
        assert is_hung_up(connection)


def test_requests_that_rfc_9112_requires_to_accept_are_accepted(served: Serving) -> None:
    for request in (
        b"\r\n" + good(),
        head(WEBHOOK, "Transfer-Encoding: Chunked") + CHUNKS,
        head(WEBHOOK, CHUNKED) + CHUNKS.replace(b"\r\n", b";name=value\r\n", 1),
        START + b"Host: [::1]:8400\r\n" + REST,
        START.replace(b"HTTP/1.1", b"HTTP/1.0") + REST,
    ):
        assert send_pieces(served, request)[0] == 200


def test_headers_behind_the_body_are_not_headers(tmp_path: Path) -> None:
    """A proxy that removes forwarding headers may not check trailers."""
    project(tmp_path, "outbound: {networks: [203.0.113.0/24]}, trusted_proxies: [127.0.0.0/8]")
    with serving(tmp_path / "config") as served:
        body = chunk(wire()) + b"0\r\n"
        start = head(MESSAGE, "Transfer-Encoding: chunked", kind=XML)
        forwarded = "X-Forwarded-For: 203.0.113.7"
        assert send_pieces(served, start, body + forwarded.encode() + b"\r\n\r\n")[0] == 403
        assert (
            send_pieces(served, head(MESSAGE, "Transfer-Encoding: chunked", forwarded, kind=XML), body + b"\r\n")[0]
            == 200
        )


def test_ten_thousand_requests_in_one_piece_are_not_all_processed(served: Serving) -> None:
    received = bytearray()
    with served.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(good() * 5 + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)
        while data := connection.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 ") < 100


class TestMemory:
    """The memory of the server process, as measured by the kernel."""

    def test_stays_flat_under_bodies_of_100_megabytes(self, served: Serving) -> None:
        send_pieces(served, good())
        before = served.memory("VmHWM")
        for path, headers in itertools.product(
            (WEBHOOK, MESSAGE), ("Content-Length: 100000000", "Transfer-Encoding: chunked")
        ):
            kind = XML if path == MESSAGE else "application/json"
            piece = b" " * MIB if headers.startswith("Content") else chunk(b" " * MIB)
            with served.connect() as connection:
                connection.sendall(head(path, headers, kind=kind))
                with contextlib.suppress(ConnectionError):
                    for _ in range(95):
                        connection.sendall(piece)
                connection.setblocking(True)
                with contextlib.suppress(ConnectionError):
                    assert answer(connection)[0] == 413
        assert served.memory("VmHWM") - before < 24 * MIB

    def test_stays_flat_under_200_slow_clients(self, tmp_path: Path) -> None:
        """
        Each client sends most of a body and stops.

        The bodies are 180 MB together, and the server holds only what the limit allows.
        """
        project(tmp_path)
        with serving(tmp_path / "config", body_seconds=PATIENCE) as served, contextlib.ExitStack() as stack:
            send_pieces(served, good())
            before = served.memory()
            slow = [stack.enter_context(served.connect()) for _ in range(200)]
            for connection in slow:
                connection.sendall(head(WEBHOOK, f"Content-Length: {MIB}"))
            for _ in range(9):
                for connection in slow:
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(b" " * 100_000)
            ready_sockets, _, _ = select.select(slow, [], [], PATIENCE)
            statuses = {answer(connection)[0] for connection in ready_sockets}
            assert statuses == {503}
            assert served.memory("VmHWM") - before < 96 * MIB
            for connection in slow:
                connection.close()
            until(lambda: send_pieces(served, good())[0] == 200)
