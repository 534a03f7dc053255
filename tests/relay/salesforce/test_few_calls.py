"""A thousand webhooks of one user take few calls: a real inbox, the local org, and a writer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from sfcode.relay.inbox import Filter, open_inbox
from sfcode.relay.message import InboxMessage
from tests.relay.salesforce.world import World

MOST_CALLS = 20
COUNT = 1_000


def webhook(number: int) -> InboxMessage:
    """Return a message as ingress stores it: scores and completed flows alternate."""
    name, attributes = ("nps_score", {"score": number % 11}) if number % 2 else ("flow_completed", {"flowName": "W"})
    stamp = f"2026-11-23T12:{number // 60:02}:{number % 60:02}.000Z"
    event = {"name": f"appcues:{name}", "attributes": attributes}
    payload = {"event": event, "user_id": "10001", "group_id": None, "timestamp": stamp}
    return InboxMessage("appcues", f"few-{number}", "user:10001", f"appcues:{name}", payload)


def test_a_thousand_webhooks_of_one_user_share_their_calls(world: World, tmp_path: Path) -> None:
    writer = world.writer
    with open_inbox(f"sqlite:///{tmp_path / 'relay.db'}") as inbox:
        inbox.accept([webhook(number) for number in range(COUNT)])
        while claim := inbox.claim("appcues", limit=writer.limit, per_key=writer.per_key, keys=writer.keys, lease=300):
            inbox.settle(claim, asyncio.run(writer.deliver(claim)), lambda *_: timedelta())
        assert {entry.state for entry in inbox.page(Filter(), COUNT)} == {"done"}
    assert len(world.recorder.calls) <= MOST_CALLS
    assert len(world.events("Appcues_Event_Id__c != null")) == COUNT
    assert world.contact()["NPS_Score__c"] == (COUNT - 1) % 11
