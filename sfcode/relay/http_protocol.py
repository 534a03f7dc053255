"""HTTP/1.1 with limits on connections, request heads, pipelining and lingering bodies, as strict as RFC 9112 asks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sfcode.relay.connections import Awaits, ConnectionTable
from sfcode.relay.ingress.client_address import Address, parse_address

HEAD_SECONDS = 15.0
HEAD_BYTES = 64 * 1024
LINGER_SECONDS = 2.0
"""Seconds for the rest of a request that was answered before its end. If the connection were closed at once, the client would lose the response."""
MOST_PIPELINED = 16
"""The maximum number of pipelined requests; each uses about a hundred times its size in memory."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_HOST = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits, since uvicorn waits without a limit for a request of any size."""

    def __init__(self, *args: Any, table: ConnectionTable, health_app: ASGIApp, **options: Any) -> None:
        super().__init__(*args, **options)
        self.peer: Address | None = None
        self._table = table
        self._health_app = health_app
        """The application for connections beyond the limits."""
        self._head_timer: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._head = 0
        self._in_body = False
        self._is_refused = False

    @property
    def awaits(self) -> Awaits:
        """What the connection is waiting for."""
        if self.pipeline:
            return Awaits.ANSWER
        if self._in_body:
            return Awaits.BODY
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, despite its annotation
        return Awaits.HEAD if cycle is None or cycle.response_complete else Awaits.ANSWER

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.peer = parse_address(self.client[0]) if self.client else None
        if not self._table.add(self):
            self.app = self._health_app
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._table.remove(self)
        self._head_is_complete()
        self._end_is_here()
        super().connection_lost(exc)

    def end(self) -> None:
        """Close the connection immediately."""
        if not self.transport.is_closing():
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Count received bytes as long as they belong to a request head."""
        if self._is_refused:
            return
        if self._head_timer is not None:
            self._head += len(data)
            if self._head > HEAD_BYTES and not self._fits(data):
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Stop waiting, since bodies have their own limits, and refuse heads that RFC 9112 forbids."""
        self._head_is_complete()
        # An error stops the parser, and uvicorn answers 400.
        check_head(self.headers, self.parser.get_http_version())
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")
        self._in_body = True
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Accept a header, unless it is a trailer, which no proxy has checked."""
        if not self._in_body:
            super().on_header(name, value)

    def on_message_complete(self) -> None:
        """End a request."""
        self._in_body = False
        self._end_is_here()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Let the rest of a request arrive for a limited time if its response was sent before its end."""
        super().on_response_complete()
        if self._in_body and self.cycle.response_complete and self._linger is None:
            self._linger = self.loop.call_later(LINGER_SECONDS, self.end)

    def send_400_response(self, msg: str) -> None:
        """Answer an invalid request with 400, and close the connection."""
        if self._is_refused:
            return
        self._table.record_refused("bad_request")
        if not self._hang_up_after_answers():
            super().send_400_response(msg)

    def _hang_up_after_answers(self) -> bool:
        """
        Stop reading, and close the connection once earlier requests are answered; return whether there are any.

        Otherwise the client would take the refusal of a later request as the response to an earlier one, or lose that response.
        """
        if self.awaits is not Awaits.ANSWER:
            return False
        self._is_refused = True
        self.cycle.keep_alive = False
        return True

    def _fits(self, data: bytes) -> bool:
        """Return whether the head alone is within the limit, if it arrived together with a large body."""
        end = data.find(b"\r\n\r\n")
        if end >= 0 and self._head - len(data) + end <= HEAD_BYTES:
            return True
        self._head_is_complete()
        self._table.record_refused("head_too_large")
        if not self._hang_up_after_answers():
            self.transport.write(TOO_LARGE)
            self.transport.close()
        return False

    def _expect_head(self) -> None:
        self._head = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_head)

    def _give_up_head(self) -> None:
        self._table.record_refused("head_too_slow")
        if not self._hang_up_after_answers():
            self.end()

    def _head_is_complete(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_is_here(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None


def check_head(headers: Sequence[tuple[bytes, bytes]], version: str) -> None:
    """
    Refuse a request head that the parser accepts although RFC 9112 requires a server to refuse it.

    A proxy may parse such a head differently, and forward a smuggled request. Raises ValueError.
    https://www.rfc-editor.org/rfc/rfc9112#section-3.2 and section 6.1
    """
    if version not in ("1.0", "1.1"):
        raise ValueError("unsupported version of HTTP")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts) or not all(map(_HOST.fullmatch, hosts)):
        raise ValueError("missing, repeated or invalid Host")
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and (version != "1.1" or [value.strip().lower() for value in codings] != [b"chunked"]):
        raise ValueError("unsupported transfer coding")
