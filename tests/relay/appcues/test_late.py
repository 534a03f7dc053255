"""A delayed request never overwrites newer values: it is delayed, newer values are delivered, then it arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from sfcode.relay.inbox import Filter
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Retry
from tests.relay.appcues.answering import Reply, answering
from tests.relay.appcues.appcues_relay import MORNING, AppcuesRelay, in_time
from tests.waiting import PATIENCE, until

SOON = timedelta(milliseconds=10)


@dataclass
class Account:
    """The profiles of one user. The first request that contains `held` is delayed until the test releases it."""

    profile: dict[str, Any] = field(default_factory=dict)
    held: str = "Old"
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)

    def reply(self, body: dict[str, Any]) -> Reply:
        is_held = body.get("role") == self.held
        if is_held:
            self.held = ""
            self.arrived.set()
            self.released.wait(PATIENCE)
        self.profile |= body
        if is_held:
            self.landed.set()
        return 200, {}, b"{}"


@pytest.fixture
def account(relay: AppcuesRelay) -> Iterator[Account]:
    account = Account()
    with answering(account.reply) as server:
        relay.url = server.url
        relay.lease = 0.1
        try:
            yield account
        finally:
            account.released.set()


@contextmanager
def another(relay: AppcuesRelay) -> Iterator[AppcuesRelay]:
    """Return another process with the same inbox."""
    second_desk = AppcuesRelay(relay.project, relay.inbox, relay.appcues, url=relay.url)
    try:
        yield second_desk
    finally:
        second_desk.close()


def claimed(relay: AppcuesRelay) -> Claim:
    """Claim everything for a tenth of a second, while the writer assumes a lease of half a minute."""
    claim = relay.claim()
    assert claim is not None
    return in_time(claim, PATIENCE)


def drain(relay: AppcuesRelay) -> None:
    """Deliver until no message is left, as workers and housekeeping do."""
    relay.lease = 60.0

    def deliver_next() -> bool:
        """Deliver all due messages; return whether there were none left."""
        relay.inbox.expire_intents()
        with relay.inbox._database.read() as tx:
            announced = tx.db.exec_driver_sql("SELECT count(*) FROM relay_intents").scalar_one()
        if not announced and all(entry.finished_at for entry in relay.inbox.page(Filter(), 100)):
            return True
        claim = relay.claim()
        if claim is not None:
            relay.settle(claim, relay.write(lambda writer: writer.deliver(claim)), SOON)
        return False

    until(deliver_next, "the delivery of everything")


def test_after_a_request_without_an_answer_the_newest_values_are_delivered_again(
    relay: AppcuesRelay, account: Account
) -> None:
    relay.send(minute=1, Title="Old", Plan__c="free")
    claim = replace(claimed(relay), lease=60.0)
    delivery = relay.write(lambda writer: writer.deliver(in_time(claim, 4)))
    assert list(delivery.settlements.values()) == [Retry("timeout", counts=False)]
    assert delivery.doubted == {"profile:user:u1"}
    relay.settle(replace(claim, lease=0.1), delivery, SOON)
    relay.send(minute=2, Title="New", Plan__c="pro")
    time.sleep(0.05)
    relay.lease = 60.0
    relay.deliver(SOON)
    assert account.profile["role"] == "New"
    account.released.set()
    assert account.landed.wait(PATIENCE)
    assert account.profile == {"role": "Old", "plan": "free"}, "the late request turned the profile back"
    drain(relay)
    assert account.profile == {"role": "New", "plan": "pro"}


@pytest.mark.parametrize("ending", ["settled", "dead"])
def test_a_frozen_or_killed_process_does_not_overwrite_newer_values(
    relay: AppcuesRelay, account: Account, ending: str
) -> None:
    relay.send(minute=1, Title="Old")
    with another(relay) as frozen, ThreadPoolExecutor(1) as pool:
        claim = claimed(relay)
        began: Future[Any] = pool.submit(frozen.write, lambda writer: writer.deliver(claim))
        assert account.arrived.wait(PATIENCE)
        relay.send(minute=2, Title="New")
        time.sleep(0.15)
        relay.lease = 60.0
        relay.deliver()
        assert account.profile["role"] == "New"
        account.released.set()
        delivery = began.result(PATIENCE)
        assert list(delivery.settlements.values()) == [Delivered()]
        assert account.profile["role"] == "Old"
        if ending == "settled":
            assert relay.settle(claim, delivery) == 0, "its lease was lost"
    drain(relay)
    assert account.profile["role"] == "New"


def repeat(relay: AppcuesRelay) -> None:
    """Make the profile due again, as after the end of a killed process."""
    message = ClaimedMessage(0, "salesforce", "gone", "user:u1", "contact", {}, 0, MORNING)
    relay.inbox.announce(Claim("gone", 0.0, (message,), lease=0.0), ["profile:user:u1"])
    assert relay.inbox.expire_intents() == 1


def test_a_rewritten_value_is_sent_before_newer_values_of_the_claim(relay: AppcuesRelay, account: Account) -> None:
    account.held = ""
    relay.lease = 60.0
    relay.send(minute=1, Title="First", Plan__c="pro")
    relay.deliver()
    repeat(relay)
    account.profile["role"] = "somebody else's"
    relay.send(minute=2, Title="Second")
    assert {state for state, _ in relay.deliver().values()} == {"done"}
    assert account.profile == {"role": "Second", "plan": None}
    drain(relay)
    assert account.profile == {"role": "Second", "plan": None}


def test_only_attributes_that_some_mapping_has_are_delivered_again(relay: AppcuesRelay, account: Account) -> None:
    account.held = ""
    relay.lease = 60.0
    relay.send(minute=1, Title="First", Plan__c="pro")
    relay.deliver()
    with relay.inbox._database.write() as tx:
        tx.db.exec_driver_sql('UPDATE relay_latest SET value = replace(value, \'"plan":"pro"\', \'"gone":"pro"\')')
    account.profile.clear()
    repeat(relay)
    drain(relay)
    assert account.profile == {"role": "First"}
