"""
A delayed write never overwrites newer values.

A proxy holds calls, newer values are written, then the calls are released. The inbox is real, and each process has its
own writer. Each test ends with the newest score in the org.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter
from sfcode.relay.message import InboxMessage
from tests.relay.salesforce.held_calls import Relay, relays
from tests.relay.salesforce.world import World
from tests.waiting import PATIENCE, until


@pytest.fixture
def relay(world: World, tmp_path: Path) -> Iterator[Relay]:
    with relays(world, tmp_path) as relay:
        yield relay


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

    def deliver_newest() -> bool:
        if (claim := relay.inbox.claim("appcues", limit=1, per_key=1, lease=60)) is not None:
            if claim.messages[0].kind == "sfcode:rewrite":
                relay.inbox.release(claim)  # kept for later, since the first call has not arrived yet
            else:
                relay.deliver(claim)
        return bool(relay.score == 9)

    until(deliver_newest)
    relay.proxy.released.set()
    assert relay.proxy.landed.wait(PATIENCE)
    assert relay.score == 2, "the late call turned the score back"
    relay.drain()
    assert relay.score == 9


def test_a_process_frozen_beyond_its_lease_does_not_overwrite_newer_values(
    relay: Relay, pool: ThreadPoolExecutor
) -> None:
    relay.store(2, at=1)
    frozen = relay.hold(replace(relay.claim(lease=0.1), deadline=boot_time() + PATIENCE), pool)
    relay.store(9, at=2)
    time.sleep(0.2)
    relay.deliver(relay.claim())
    relay.deliver(relay.claim())
    relay.drain()  # including the rewrite of the lost claim's states
    assert relay.score == 9
    relay.proxy.released.set()
    assert frozen.result(PATIENCE) == 0, "its lease was lost"
    assert relay.score == 2
    relay.drain()
    assert relay.score == 9


def test_a_frozen_process_overwrites_neither_of_two_newer_values(relay: Relay, pool: ThreadPoolExecutor) -> None:
    """Classic surveys send score and feedback in two events, which one claim writes in two calls."""
    relay.store(2, at=1)
    relay.store_feedback("old", at=2)
    frozen = relay.hold(replace(relay.claim(lease=0.1, per_key=2), deadline=boot_time() + PATIENCE), pool)
    relay.store(9, at=3)
    relay.store_feedback("new", at=4)
    time.sleep(0.2)
    relay.drain()
    assert (relay.score, relay.feedback) == (9, "new")
    relay.proxy.released.set()
    assert frozen.result(PATIENCE) == 0, "its lease was lost"
    assert (relay.score, relay.feedback) == (2, "old")
    relay.drain()
    assert (relay.score, relay.feedback) == (9, "new")


def test_the_late_call_of_a_killed_process_does_not_overwrite_newer_values(
    relay: Relay, pool: ThreadPoolExecutor
) -> None:
    """The call is still on its way, and no process receives its response."""
    relay.store(2, at=1)
    claim = replace(relay.claim(lease=0.1), deadline=boot_time() + PATIENCE)
    relay.proxy.holds = True
    dead = pool.submit(asyncio.run, relay.writer().deliver(claim))
    assert relay.proxy.arrived.wait(PATIENCE)
    relay.store(9, at=2)
    time.sleep(0.2)
    for _ in range(2):
        relay.deliver(relay.claim())
    assert relay.score == 9
    relay.proxy.released.set()
    assert relay.proxy.landed.wait(PATIENCE)
    dead.result(PATIENCE)
    assert relay.score == 2
    relay.drain()
    assert relay.score == 9


def test_two_processes_with_messages_of_two_keys_for_one_record_end_with_the_newest(
    relay: Relay, pool: ThreadPoolExecutor
) -> None:
    """No lease is lost, but the call with the older value takes longer."""
    relay.store(2, at=1)
    slow = relay.hold(relay.claim(), pool)
    relay.store(9, at=2, key="group:acme")
    assert relay.deliver(relay.claim()) == 1
    assert relay.score == 9
    relay.proxy.released.set()
    assert slow.result(PATIENCE) == 1
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
        replace(mapping, name="people") if mapping.name == "contact" else mapping
        for mapping in relay.world.project.mappings
    )
    renamed = replace(relay.world.project, mappings=mappings)
    relay.world.project, before = renamed, relay.world.project
    try:
        relay.store(2, at=1)
        relay.drain()
    finally:
        relay.world.project = before
    assert relay.score == 9
