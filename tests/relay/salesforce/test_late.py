"""
A write that arrives late never wins: a proxy holds calls back, newer values are written, then it lets the old ones go.

A real inbox settles; processes are writers of their own on it. Each test ends with the newest score in the org.
"""

from __future__ import annotations

import asyncio
import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sfcode.org import Org, connect
from sfcode.org.options import Runtime
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import Claim, InboxMessage
from sfcode.relay.salesforce import make_writer
from tests.relay.salesforce.world import INTEGRATION, World

SECONDS = 60.0


@dataclass
class Proxy:
    """Forwards to an org; while it holds, an update of records waits until it is let go."""

    target: str
    url: str = ""
    holds: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)

    def forward(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        held = self.holds and request.command == "PATCH" and request.path.endswith("/composite/sobjects")
        if held:
            self.holds = False
            self.arrived.set()
            self.released.wait(SECONDS)
        host = urlsplit(self.target)
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=SECONDS)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(request.command, request.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if held:
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
                self.close_connection = True  # whoever asked has gone

        do_GET = do_POST = do_PATCH = do_any

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.released.set()
            server.shutdown()
            thread.join()


@dataclass
class Relay:
    """An inbox, and processes that work on it."""

    world: World
    inbox: Inbox
    proxy: Proxy
    org: Org

    def writer(self) -> Any:
        """Give the writer of a process of its own."""
        writer = make_writer(self.world.project, self.org, self.inbox, self.world.heard)

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
        """Deliver and settle a claim, as a worker does; give how many messages were settled."""
        delivery = asyncio.run((writer or self.writer()).deliver(claim))
        return self.inbox.settle(claim, delivery, lambda *_: timedelta(milliseconds=10))

    def hold(self, claim: Claim, pool: ThreadPoolExecutor) -> Future[int]:
        """Begin to deliver a claim whose update is held on its way."""
        self.proxy.holds = True
        begun = pool.submit(self.deliver, claim)
        assert self.proxy.arrived.wait(SECONDS)
        return begun

    def drain(self) -> None:
        """Deliver until nothing is left, in time, as workers and housekeeping do."""
        until = time.monotonic() + SECONDS
        while self.announced or any(entry.state in ("ready", "leased") for entry in self.inbox.page(Filter(), 100)):
            assert time.monotonic() < until
            self.inbox.expire_intents()
            claim = self.inbox.claim("appcues", limit=10, per_key=1, lease=60)
            if claim is not None:
                self.deliver(claim)
            time.sleep(0.05)

    @property
    def announced(self) -> int:
        """How many claims may be writing, or have calls that may yet arrive."""
        with self.inbox._database.read() as tx:
            return int(tx.db.exec_driver_sql("SELECT count(*) FROM relay_intents").scalar_one())

    @property
    def score(self) -> Any:
        return self.world.contact()["NPS_Score__c"]

    @property
    def feedback(self) -> Any:
        return self.world.contact()["NPS_Feedback__c"]


@pytest.fixture
def relay(world: World, tmp_path: Path) -> Iterator[Relay]:
    token = world.rest.session.post(f"{world.local.url}/services/sfcode/tokens", json={"username": INTEGRATION}).json()
    runtime = Runtime(clock=boot_time, sleep=lambda _seconds: None)
    environ = {"SF_ACCESS_TOKEN": token["access_token"]}
    with (
        proxied(world.local.url) as proxy,
        connect(proxy.url, environ=environ, api_version="63.0", runtime=runtime) as org,
        open_inbox(f"sqlite:///{tmp_path / 'relay.db'}") as inbox,
    ):
        yield Relay(world, inbox, proxy, org)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_after_a_call_without_an_answer_the_newest_value_is_written_again(relay: Relay) -> None:
    relay.store(2, at=1)
    relay.proxy.holds = True
    relay.deliver(relay.claim(lease=5))
    assert relay.proxy.arrived.is_set()
    relay.store(9, at=2)
    until = time.monotonic() + SECONDS
    while relay.score != 9:
        assert time.monotonic() < until
        if (claim := relay.inbox.claim("appcues", limit=1, per_key=1, lease=60)) is not None:
            if claim.messages[0].kind == "sfcode:rewrite":
                relay.inbox.release(claim)  # not yet: the call is still on its way
            else:
                relay.deliver(claim)
        time.sleep(0.05)
    relay.proxy.released.set()
    assert relay.proxy.landed.wait(SECONDS)
    assert relay.score == 2, "the late call turned the score back"
    relay.drain()
    assert relay.score == 9


def test_a_process_that_froze_beyond_its_lease_turns_nothing_back(relay: Relay, pool: ThreadPoolExecutor) -> None:
    relay.store(2, at=1)
    frozen = relay.hold(replace(relay.claim(lease=0.1), deadline=boot_time() + SECONDS), pool)
    relay.store(9, at=2)
    time.sleep(0.2)
    relay.deliver(relay.claim())
    relay.deliver(relay.claim())
    relay.drain()  # also of what is written again because the claim was lost
    assert relay.score == 9
    relay.proxy.released.set()
    assert frozen.result(SECONDS) == 0, "its lease was lost"
    assert relay.score == 2
    relay.drain()
    assert relay.score == 9


def test_a_process_that_froze_turns_back_neither_of_two_values_of_one_record(
    relay: Relay, pool: ThreadPoolExecutor
) -> None:
    """Classic surveys send score and feedback in two events, which one claim writes in two calls."""
    relay.store(2, at=1)
    relay.store_feedback("old", at=2)
    frozen = relay.hold(replace(relay.claim(lease=0.1, per_key=2), deadline=boot_time() + SECONDS), pool)
    relay.store(9, at=3)
    relay.store_feedback("new", at=4)
    time.sleep(0.2)
    relay.drain()
    assert (relay.score, relay.feedback) == (9, "new")
    relay.proxy.released.set()
    assert frozen.result(SECONDS) == 0, "its lease was lost"
    assert (relay.score, relay.feedback) == (2, "old")
    relay.drain()
    assert (relay.score, relay.feedback) == (9, "new")


def test_the_call_of_a_process_that_died_turns_nothing_back(relay: Relay, pool: ThreadPoolExecutor) -> None:
    """Its call is on its way still, and nobody is there to hear how it ends."""
    relay.store(2, at=1)
    claim = replace(relay.claim(lease=0.1), deadline=boot_time() + SECONDS)
    relay.proxy.holds = True
    dead = pool.submit(asyncio.run, relay.writer().deliver(claim))
    assert relay.proxy.arrived.wait(SECONDS)
    relay.store(9, at=2)
    time.sleep(0.2)
    for _ in range(2):
        relay.deliver(relay.claim())
    assert relay.score == 9
    relay.proxy.released.set()
    assert relay.proxy.landed.wait(SECONDS)
    dead.result(SECONDS)
    assert relay.score == 2
    relay.drain()
    assert relay.score == 9


def test_two_processes_with_messages_of_two_keys_for_one_record_end_with_the_newest(
    relay: Relay, pool: ThreadPoolExecutor
) -> None:
    """No lease is lost: the older value is only longer on its way."""
    relay.store(2, at=1)
    slow = relay.hold(relay.claim(), pool)
    relay.store(9, at=2, key="group:acme")
    assert relay.deliver(relay.claim()) == 1
    assert relay.score == 9
    relay.proxy.released.set()
    assert slow.result(SECONDS) == 1
    assert relay.score == 2
    relay.drain()
    assert relay.score == 9


def test_feedback_is_redacted_once_it_is_delivered_where_the_project_wants_it(relay: Relay) -> None:
    settings = relay.world.project.settings
    changed = settings.model_copy(update={"relay": settings.relay.model_copy(update={"redact_feedback": True})})
    relay.world.project, before = replace(relay.world.project, settings=changed), relay.world.project
    text = "My boss is horrible"
    event = {"name": "x", "attributes": {"score": 3, "feedback": f" {text} ", "again": [text], "flow": "kept"}}
    payload = {"event": event, "user_id": "10001", "group_id": None, "timestamp": "2026-11-23T12:00:00.000Z"}
    kind = "appcues:nps_score_and_feedback"
    relay.inbox.accept([InboxMessage("appcues", "m1", "user:10001", kind, payload)])
    try:
        relay.drain()
    finally:
        relay.world.project = before
    assert relay.world.contact()["NPS_Feedback__c"] == text
    (entry,) = relay.inbox.page(Filter())
    assert entry.state == "done"
    assert "horrible" not in str(entry.payload)
    assert entry.payload["event"]["attributes"]["flow"] == "kept"
    with relay.inbox._database.read() as tx:
        states = tx.db.exec_driver_sql("SELECT name, value FROM relay_latest").all()
    assert states
    assert "horrible" not in str(states)


def test_a_renamed_mapping_keeps_its_history(relay: Relay) -> None:
    relay.store(9, at=2)
    relay.drain()
    mappings = tuple(
        replace(each, name="people") if each.name == "contact" else each for each in relay.world.project.mappings
    )
    renamed = replace(relay.world.project, mappings=mappings)
    relay.world.project, before = renamed, relay.world.project
    try:
        relay.store(2, at=1)
        relay.drain()
    finally:
        relay.world.project = before
    assert relay.score == 9
