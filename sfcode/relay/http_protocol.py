"""HTTP/1.1 with time and size limits on request heads, pipelining and lingering bodies."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
HEAD_BYTES = 64 * 1024
LINGER_SECONDS = 2.0
"""For the rest of a request that has been answered before its end: hung up on at once, its sender would lose the answer."""
MOST_PIPELINED = 16
"""Requests that may wait for the answer to the one before: each takes a hundred times the memory that it took to send."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits: by itself it waits forever for a request of any size."""

    _patience: asyncio.TimerHandle | None = None
    _linger: asyncio.TimerHandle | None = None
    _head = 0
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._head_is_complete()
        self._end_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives as long as it belongs to a head."""
        if self._patience is not None:
            self._head += len(data)
            if self._head > HEAD_BYTES and not self._fits(data):
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        if self._patience is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Stop waiting: bodies have limits of their own."""
        self._head_is_complete()
        self._in_body = True
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")  # the parser ends, and uvicorn answers 400
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
        """Give a request that was answered before its end a little time to finish."""
        super().on_response_complete()
        if self._in_body and self.cycle.response_complete and self._linger is None:
            self._linger = self.loop.call_later(LINGER_SECONDS, self._hang_up)

    def _fits(self, data: bytes) -> bool:
        """Tell whether the head itself is within the limit, when it arrived together with a large body."""
        end = data.find(b"\r\n\r\n")
        if end >= 0 and self._head - len(data) + end <= HEAD_BYTES:
            return True
        self._head_is_complete()
        self.transport.write(TOO_LARGE)
        self.transport.close()
        return False

    def _expect_head(self) -> None:
        self._head = 0
        self._patience = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _head_is_complete(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _end_is_here(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _hang_up(self, *_: Any) -> None:
        if not self.transport.is_closing():
            self.transport.close()
