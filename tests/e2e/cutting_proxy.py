"""A proxy in front of an org that kills the client at a chosen request."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.http_server import serve_handler
from tests.waiting import PATIENCE

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass
class Cut:
    """The number of the request before or after which the client is killed."""

    at: int = 0
    after: bool = False
    kill: Callable[[], None] = lambda: None
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> int:
        with self.lock:
            self.seen += 1
            return self.seen


@contextmanager
def proxy(org_url: str, cut: Cut) -> Iterator[str]:
    """Serve the proxy; yield its URL."""
    org = urlsplit(org_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            number = cut.next()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if number == cut.at and not cut.after:
                self._drop()
                return
            connection = http.client.HTTPConnection(str(org.hostname), org.port, timeout=PATIENCE)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if number == cut.at:
                self._drop()
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _drop(self) -> None:
            cut.kill()
            self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = _pass

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with serve_handler(Handler) as url:
        yield url
