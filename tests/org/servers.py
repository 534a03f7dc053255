"""Small real HTTP servers on loopback, which answer or fail as a test specifies."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "00D000000000001!a.very.secret.token"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HangUp(Exception):
    """Raised to close the connection without an answer."""


Handler = Callable[[Request], Answer]


def as_json(document: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def soap(operation: str, *results: str) -> Answer:
    inner = "".join(f"<result>{result}</result>" for result in results)
    return envelope(f"<{operation}Response>{inner}</{operation}Response>")


def fault(code: str, message: str) -> Answer:
    text = f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
    return Answer(500, envelope(f"<soapenv:Fault>{text}</soapenv:Fault>").body)


def envelope(inner: str) -> Answer:
    return Answer(
        200,
        (
            '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
            'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns="http://soap.sforce.com/2006/04/metadata" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
        ).encode(),
        {"Content-Type": "text/xml"},
    )


@dataclass
class Server:
    """A running server: its URL, and every request that it has received."""

    url: str
    requests: list[Request] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # one write per answer: between two writes, TCP would wait 40 ms
    server: _Http

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        self.server.seen.requests.append(request)
        try:
            answer = self.server.answer(request)
        except HangUp:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        begin = self.send_response_only if "Date" in answer.headers else self.send_response  # adds the present date
        begin(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    answer: Handler
    seen: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect early, which some tests do."""


@contextmanager
def serving(answer: Handler, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a free port until the block ends."""
    http = _Http(("127.0.0.1", 0), _Handler)
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    http.answer = answer
    http.seen = Server(f"{'https' if tls else 'http'}://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield http.seen
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@contextmanager
def refusing() -> Iterator[str]:
    """Return the URL of a port that refuses every connection until the block ends, since it is taken without a server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


def script(*answers: Answer | type[HangUp]) -> Handler:
    """Return the answers in order, one per request; the last one is repeated."""
    remaining_answers = list(answers)

    def answer(_: Request) -> Answer:
        now = remaining_answers.pop(0) if len(remaining_answers) > 1 else remaining_answers[0]
        if not isinstance(now, Answer):
            raise now
        return now

    return answer
