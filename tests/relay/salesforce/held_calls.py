"""Relay processes with one inbox, and a proxy in front of the org that delays a call until the test releases it."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sfcode.org import Org, connect
from sfcode.org.options import Runtime
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import Claim, InboxMessage
from sfcode.relay.salesforce import make_writer
from tests.http_server import serve_handler
from tests.relay.salesforce.world import INTEGRATION, World
from tests.waiting import PATIENCE, until


@dataclass
class Proxy:
    """Forwards requests to an org. While it holds, an update of records waits until it is released."""

    target: str
    url: str = ""
    holds: bool = False
    held_path: str = "/composite/sobjects"
    """The end of the path of the calls that are held; by default the updates of records."""
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)
    updates: list[bytes] = field(default_factory=list)
    """Bodies of the updates of records, in the order in which they reached the org."""

    def forward(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        is_held = self.holds and request.command == "PATCH" and request.path.endswith(self.held_path)
        if is_held:
            self.holds = False
            self.arrived.set()
            self.released.wait(PATIENCE)
        host = urlsplit(self.target)
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=PATIENCE)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(request.command, request.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if request.command == "PATCH" and request.path.endswith("/composite/sobjects"):
            self.updates.append(body)
        if is_held:
            self.landed.set()
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_any(self) -> None:
            try:
                proxy.forward(self)
            except OSError:
                self.close_connection = True  # the client has closed the connection

        do_GET = do_POST = do_PATCH = do_any

    with serve_handler(Handler) as proxy.url:
        try:
            yield proxy
        finally:
            proxy.released.set()


@dataclass
class Relay:
    """An inbox, and processes that deliver its messages."""

    world: World
    inbox: Inbox
    proxy: Proxy
    org: Org

    def writer(self) -> Any:
        """Return the writer of a new process."""
        writer = make_writer(self.world.project, self.org, self.inbox, self.world.recorder)

        async def sleep(_seconds: float) -> None:
            pass

        writer.sleep = sleep  # type: ignore[attr-defined]
        return writer

    def store(self, score: int, at: int, key: str = "user:10001") -> None:
        stamp = f"2026-11-23T12:00:{at:02}.000Z"
        event = {"name": "appcues:nps_score", "attributes": {"score": score}}
        payload = {"event": event, "user_id": "10001", "group_id": None, "timestamp": stamp}
        self.inbox.accept([InboxMessage("appcues", f"m{score}", key, "appcues:nps_score", payload)])

    def store_feedback(self, feedback: str, at: int) -> None:
        event = {"name": "appcues:nps_feedback", "attributes": {"feedback": feedback}}
        payload = {"event": event, "user_id": "10001", "timestamp": f"2026-11-23T12:00:{at:02}.000Z"}
        self.inbox.accept([InboxMessage("appcues", f"f{at}", "user:10001", "appcues:nps_feedback", payload)])

    def claim(self, lease: float = 60.0, per_key: int = 1) -> Claim:
        claim = self.inbox.claim("appcues", limit=10, per_key=per_key, lease=lease)
        assert claim is not None
        return claim

    def deliver(self, claim: Claim, writer: Any = None) -> int:
        """Deliver and settle a claim as a worker does; return the number of settled messages."""
        delivery = asyncio.run((writer or self.writer()).deliver(claim))
        return self.inbox.settle(claim, delivery, lambda *_: timedelta(milliseconds=10))

    def hold(self, claim: Claim, pool: ThreadPoolExecutor) -> Future[int]:
        """Start the delivery of a claim whose update the proxy holds."""
        self.proxy.holds = True
        future = pool.submit(self.deliver, claim)
        assert self.proxy.arrived.wait(PATIENCE)
        return future

    def drain(self) -> None:
        """Deliver until no message is left, as workers and housekeeping do."""
        until(self._deliver_next, "the delivery of everything")

    def _deliver_next(self) -> bool:
        """Deliver all due messages; return whether there were none left."""
        if not self.announced and not {"ready", "leased"} & {entry.state for entry in self.inbox.page(Filter(), 100)}:
            return True
        self.inbox.expire_intents()
        claim = self.inbox.claim("appcues", limit=10, per_key=1, lease=60)
        if claim is not None:
            self.deliver(claim)
        return False

    @property
    def announced(self) -> int:
        """Count claims that may be writing, or whose calls may still arrive."""
        with self.inbox._database.read() as tx:
            return int(tx.db.exec_driver_sql("SELECT count(*) FROM relay_intents").scalar_one())

    @property
    def score(self) -> Any:
        return self.world.contact()["NPS_Score__c"]

    @property
    def feedback(self) -> Any:
        return self.world.contact()["NPS_Feedback__c"]


@contextmanager
def relays(world: World, folder: Path) -> Iterator[Relay]:
    """Return an inbox for an applied world, and relay processes on it."""
    token = world.rest.session.post(f"{world.local.url}/services/sfcode/tokens", json={"username": INTEGRATION}).json()
    runtime = Runtime(clock=boot_time, sleep=lambda _seconds: None)
    environ = {"SF_ACCESS_TOKEN": token["access_token"]}
    with (
        proxied(world.local.url) as proxy,
        connect(proxy.url, environ=environ, api_version="63.0", runtime=runtime) as org,
        open_inbox(f"sqlite:///{folder / 'relay.db'}") as inbox,
    ):
        yield Relay(world, inbox, proxy, org)
