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
from tests.relay.appcues.desk import MORNING, Desk, in_time
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
def account(desk: Desk) -> Iterator[Account]:
    account = Account()
    with answering(account.reply) as server:
        desk.url = server.url
        desk.lease = 0.1
        try:
            yield account
        finally:
            account.released.set()


@contextmanager
def another(desk: Desk) -> Iterator[Desk]:
    """Return another process with the same inbox."""
    second_desk = Desk(desk.project, desk.inbox, desk.appcues, url=desk.url)
    try:
        yield second_desk
    finally:
        second_desk.close()


def claimed(desk: Desk) -> Claim:
    """Claim everything for a tenth of a second, while the writer assumes a lease of half a minute."""
    claim = desk.claim()
    assert claim is not None
    return in_time(claim, PATIENCE)


def drain(desk: Desk) -> None:
    """Deliver until no message is left, as workers and housekeeping do."""
    desk.lease = 60.0

    def deliver_next() -> bool:
        """Deliver all due messages; return whether there were none left."""
        desk.inbox.expire_intents()
        with desk.inbox._database.read() as tx:
            announced = tx.db.exec_driver_sql("SELECT count(*) FROM relay_intents").scalar_one()
        if not announced and all(entry.finished_at for entry in desk.inbox.page(Filter(), 100)):
            return True
        claim = desk.claim()
        if claim is not None:
            desk.settle(claim, desk.write(lambda writer: writer.deliver(claim)), SOON)
        return False

    until(deliver_next, "the delivery of everything")


def test_after_a_request_without_an_answer_the_newest_values_are_delivered_again(desk: Desk, account: Account) -> None:
    desk.send(minute=1, Title="Old", Plan__c="free")
    claim = replace(claimed(desk), lease=60.0)
    delivery = desk.write(lambda writer: writer.deliver(in_time(claim, 4)))
    assert list(delivery.settlements.values()) == [Retry("timeout", counts=False)]
    assert delivery.doubted == {"profile:user:u1"}
    desk.settle(replace(claim, lease=0.1), delivery, SOON)
    desk.send(minute=2, Title="New", Plan__c="pro")
    time.sleep(0.05)
    desk.lease = 60.0
    desk.deliver(SOON)
    assert account.profile["role"] == "New"
    account.released.set()
    assert account.landed.wait(PATIENCE)
    assert account.profile == {"role": "Old", "plan": "free"}, "the late request turned the profile back"
    drain(desk)
    assert account.profile == {"role": "New", "plan": "pro"}


@pytest.mark.parametrize("ending", ["settled", "dead"])
def test_a_frozen_or_killed_process_does_not_overwrite_newer_values(desk: Desk, account: Account, ending: str) -> None:
    desk.send(minute=1, Title="Old")
    with another(desk) as frozen, ThreadPoolExecutor(1) as pool:
        claim = claimed(desk)
        began: Future[Any] = pool.submit(frozen.write, lambda writer: writer.deliver(claim))
        assert account.arrived.wait(PATIENCE)
        desk.send(minute=2, Title="New")
        time.sleep(0.15)
        desk.lease = 60.0
        desk.deliver()
        assert account.profile["role"] == "New"
        account.released.set()
        delivery = began.result(PATIENCE)
        assert list(delivery.settlements.values()) == [Delivered()]
        assert account.profile["role"] == "Old"
        if ending == "settled":
            assert desk.settle(claim, delivery) == 0, "its lease was lost"
    drain(desk)
    assert account.profile["role"] == "New"


def repeat(desk: Desk) -> None:
    """Make the profile due again, as after the end of a killed process."""
    message = ClaimedMessage(0, "salesforce", "gone", "user:u1", "contact", {}, 0, MORNING)
    desk.inbox.announce(Claim("gone", 0.0, (message,), lease=0.0), ["profile:user:u1"])
    assert desk.inbox.expire_intents() == 1


def test_a_rewritten_value_is_sent_before_newer_values_of_the_claim(desk: Desk, account: Account) -> None:
    account.held = ""
    desk.lease = 60.0
    desk.send(minute=1, Title="First", Plan__c="pro")
    desk.deliver()
    repeat(desk)
    account.profile["role"] = "somebody else's"
    desk.send(minute=2, Title="Second")
    assert {state for state, _ in desk.deliver().values()} == {"done"}
    assert account.profile == {"role": "Second", "plan": None}
    drain(desk)
    assert account.profile == {"role": "Second", "plan": None}


def test_only_attributes_that_some_mapping_has_are_delivered_again(desk: Desk, account: Account) -> None:
    account.held = ""
    desk.lease = 60.0
    desk.send(minute=1, Title="First", Plan__c="pro")
    desk.deliver()
    with desk.inbox._database.write() as tx:
        tx.db.exec_driver_sql('UPDATE relay_latest SET value = replace(value, \'"plan":"pro"\', \'"gone":"pro"\')')
    account.profile.clear()
    repeat(desk)
    drain(desk)
    assert account.profile == {"role": "First"}
