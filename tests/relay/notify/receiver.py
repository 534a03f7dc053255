"""A receiver of notifications: a real server with configured responses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.http_server import serve_handler
from tests.waiting import PATIENCE

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class ReceivedRequest:
    """A request to the receiver."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class NotificationReceiver:
    """The received requests, and the next status codes; after these, each response is 200."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    retry_after: str = ""
    """The Retry-After header of each answer."""
    has_received: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving() -> Iterator[NotificationReceiver]:
    state = NotificationReceiver()
    state.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append(
                ReceivedRequest(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            status = state.answers.pop(0) if state.answers else 200
            state.has_received.set()
            state.may_answer.wait(PATIENCE)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if state.retry_after:
                self.send_header("Retry-After", state.retry_after)
            if status == 302:
                self.send_header("Location", f"{state.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serve_handler(Handler) as state.url:
        try:
            yield state
        finally:
            state.may_answer.set()
