"""A real Chromium for the dashboard, and a relay with messages that a thread serves."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn

from sfcode.relay.activity import ActivityKey
from sfcode.relay.alarms import Alarm
from sfcode.relay.appcues import FieldTypeCache
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.main import build_ingress
from sfcode.relay.message import Delivered, Delivery, InboxMessage, Parked
from sfcode.relay.server import listen, make_app
from sfcode.relay.service import Builders, Service
from tests.relay.serving import Relay, _soon
from tests.waiting import PATIENCE, until


@dataclass
class Pages:
    """A relay, and the URL of its pages."""

    url: str
    service: Service
    inbox: Inbox
    relay: Relay


@contextlib.contextmanager
def served_pages(relay: Relay, prepare: Callable[[Inbox], None] = lambda _: None) -> Iterator[Pages]:
    """
    Serve a relay's pages and its ingress in a thread, with its workers.

    The inbox is prepared before the workers start, since they would claim its messages.
    """
    config = relay.config()
    with listen("127.0.0.1", 0) as listener, open_inbox(relay.database, busy_seconds=relay.busy_seconds) as inbox:
        prepare(inbox)
        builders = Builders(
            lambda _: relay.connect(),
            build_ingress,
            lambda *_: relay.to_salesforce,
            lambda *_: relay.to_appcues,
            lambda config: FieldTypeCache(config.project, inbox),
        )
        ready = threading.Event()
        stop: list[Any] = []

        async def serve() -> None:
            service = Service(config, inbox, builders, retry_delay=_soon, rng=random.Random(1))
            server = uvicorn.Server(uvicorn.Config(make_app(service), log_config=None, lifespan="off", ws="none"))
            server.capture_signals = contextlib.nullcontext
            await service.start()
            stop.extend((service, server))
            ready.set()
            try:
                await server.serve(sockets=[listener])
            finally:
                await service.stop()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="relay")
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            until(
                lambda: stop[0].organization, "a sign-in to the org"
            )  # before it, pages report that the relay is not ready
            yield Pages(f"http://127.0.0.1:{listener.getsockname()[1]}", stop[0], inbox, relay)
        finally:
            if stop:
                stop[1].should_exit = True
            thread.join(30)


def fill(inbox: Inbox, now: datetime) -> None:
    """Fill an inbox with one day of traffic, always the same, which includes failures."""
    chance = random.Random(7)
    minute = int(now.timestamp()) // 60 * 60
    numbers: dict[ActivityKey, int] = {}
    for back in range(1, 24 * 60):
        at = minute - 60 * back
        for source, usual in (("appcues", 40), ("salesforce", 9)):
            count = round(usual * (1 + 0.4 * chance.random()))
            late = source == "appcues" and 20 <= back <= 26
            numbers |= {
                ActivityKey(at, source, "received"): count,
                ActivityKey(at, source, "delivered"): 0 if late else count,
                ActivityKey(at, source, "commit_time", 10): count - 2,
                ActivityKey(at, source, "commit_time", 50): 2,
            }
            if late:
                numbers[ActivityKey(at, source, "oldest_seconds")] = 60 * (27 - back)
                numbers[ActivityKey(at, source, "retried")] = count
            else:
                numbers[ActivityKey(at, source, "delivery_time", 1000)] = count - 3
                numbers[ActivityKey(at, source, "delivery_time", 2500)] = 3
        numbers[ActivityKey(at, "salesforce", "calls")] = 12
        numbers[ActivityKey(at, "appcues", "calls")] = 9
        if 20 <= back <= 26:
            numbers[ActivityKey(at, "salesforce", "failed_calls")] = 4
    inbox.activity.add(numbers)
    events = ("appcues:flow_completed", "appcues:nps_score", "appcues:form_submitted")
    inbox.accept(
        [
            InboxMessage(
                "appcues",
                f"m{number}",
                f"user:user-{number % 40}",
                events[number % 3],
                {"user_id": f"user-{number % 40}", "name": events[number % 3], "attributes": {"flowName": "Welcome"}},
                parked="" if number % 4 else "unknown_user",
            )
            for number in range(240)
        ]
    )
    claim = inbox.claim("appcues", limit=200, per_key=10, lease=60)
    assert claim is not None
    ends: dict[int, Any] = {}
    for position, message in enumerate(claim.messages):
        text = "No such column 'Plan_Tier__c' on entity 'Contact'. If you are attempting to use a custom field, be sure to append '__c'."
        ends[message.id] = Parked("invalid_field", text) if position % 3 == 0 else Delivered()
    inbox.settle(claim, Delivery(ends), lambda *_: None)
    stamp = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    inbox.raise_alarms(
        [Alarm("salesforce_access", "Contact.Plan_Tier__c is not writable by the integration user", stamp, 4)]
    )
