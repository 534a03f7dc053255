"""An endpoint for outbound messages: a real HTTP server with configured answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from lxml import etree

from tests.http_server import serve_handler
from tests.waiting import PATIENCE

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
SF = "urn:sobject.enterprise.soap.sforce.com"
ACK = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class Post:
    """One received message."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def notifications(self) -> list[tuple[str, dict[str, str]]]:
        """Return the ID of each notification and the fields in it, in their order."""
        ids_and_fields = []
        for element in etree.fromstring(self.body).iter(f"{{{OUTBOUND}}}Notification"):
            record = element.find(f"{{{OUTBOUND}}}sObject")
            assert record is not None
            fields = {etree.QName(child).localname: child.text or "" for child in record}
            ids_and_fields.append((element.findtext(f"{{{OUTBOUND}}}Id") or "", fields))
        return ids_and_fields

    @property
    def records(self) -> list[dict[str, str]]:
        return [fields for _, fields in self.notifications]


@dataclass
class Receiver:
    """The received messages, and the answers: status and body, by the number of the message."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Callable[[int], tuple[int, bytes]] = lambda _number: (200, ACK)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> list[Post]:
        """Wait until a number of messages has arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.posts) >= count, PATIENCE), f"{len(self.posts)} messages came"
            return list(self.posts)

    def take(self) -> list[Post]:
        """Return the received messages, and remove them."""
        with self.arrived:
            posts, self.posts = self.posts, []
        return posts


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve an endpoint."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.arrived:
                receiver.posts.append(Post(self.path, dict(self.headers), body))
                number = len(receiver.posts)
                receiver.arrived.notify_all()
            status, content = receiver.answer(number)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with serve_handler(Handler) as receiver.url:
        yield receiver
