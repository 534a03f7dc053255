"""When a worker considers Salesforce or Appcues unavailable, and waits longer and longer."""

from __future__ import annotations

from sfcode.relay.current_pauses import wait_for
from sfcode.relay.message import Delivered, Delivery, Released, Retry
from sfcode.relay.worker.worker import is_outage

AWAY = Retry("no answer", counts=False)
WAITING = wait_for("contact")


def test_parked_messages_are_not_an_outage() -> None:
    assert is_outage(Delivery({1: AWAY, 2: Released()}))
    assert not is_outage(Delivery({1: AWAY, 2: Delivered()}))
    assert not is_outage(Delivery({1: WAITING}))
    assert not is_outage(Delivery({1: AWAY, 2: WAITING}))
