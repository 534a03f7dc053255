"""A server that answers PATCH as a test specifies, for cases that the local Appcues has no fault for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import serve_handler

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Answering:
    """The received requests, and the answers by body."""

    url: str = ""
    reply: Callable[[Any], Reply] = lambda _body: (200, {}, b"{}")
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    """Path, authorization and body of each request."""


@contextmanager
def answering(reply: Callable[[Any], Reply]) -> Iterator[Answering]:
    """Serve until the block ends."""
    state = Answering(reply=reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.seen.append((self.path, self.headers["Authorization"], body))
            status, headers, content = state.reply(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with serve_handler(Handler) as state.url:
        yield state
