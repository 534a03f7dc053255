"""Accepted messages are read from the inbox unchanged, on both engines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from sfcode.config import Project
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.message import InboxMessage
from tests.relay.ingress.asking import MESSAGE, ORG, WEBHOOK, Relay, event
from tests.relay.ingress.asking import Inbox as Remembering
from tests.relay.ingress.test_messages import XML, notification, wire

ODD = {
    "deep": json.loads("[" * 55 + "]" * 55),
    "huge": 10**99,
    "tiny": 5e-324,
    "large": 1.7976931348623157e308,
    "minus zero": -0.0,
    "empty": "",
    "": None,
    "emoji": "\U0001f600\U0010ffff",
    "odd": "\u2028\u202e\ufeff\uffff\x7f\\u0000 \\ \" ' % ? :name {} $1",
    "long": "ü" * 100_000,
}


class Durable(Remembering):
    """Stores messages in a real inbox, and counts the calls."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.inbox = inbox

    async def accept(self, messages: Sequence[InboxMessage]) -> int:
        new = await asyncio.to_thread(self.inbox.accept, messages)
        self.messages += messages
        return new


def test_unusual_events_and_records_are_stored_unchanged(contact_project: Project, database_url: str) -> None:
    with open_inbox(database_url) as inbox:
        relay = Relay(contact_project, inbox=Durable(inbox), organization=ORG)
        events = [
            event(attributes=ODD),
            event(name="ü" * 255, user_id="\U0010ffff" * 200),
            event(name="' OR 1=1; --", user_id="%"),
            event(user_id=0),
        ]
        for _ in range(2):
            assert relay.ask(WEBHOOK, json.dumps(events)).status == 200
            assert relay.ask(WEBHOOK, "[[]," + json.dumps({"x": ODD}) + "]").status == 200
            odd = (("Id", "003"), ("Appcues_User_Id__c", "ü" * 255), ("Plan__c", ODD["odd"].replace("\uffff", "")))
            assert relay.ask(MESSAGE, wire(notification(1, odd)), kind=XML).status == 200
        accepted_messages = {message.message_id: message for message in relay.inbox.messages if not message.parked}
        assert len(accepted_messages) == 5
        claimed_messages = {}
        for source in ("appcues", "salesforce"):
            claim = inbox.claim(source, limit=100, per_key=10, lease=60)
            assert claim is not None
            claimed_messages |= {entry.message_id: entry for entry in claim.messages}
        assert {id_: (entry.key, entry.kind, entry.payload) for id_, entry in claimed_messages.items()} == {
            id_: (entry.key, entry.kind, entry.payload) for id_, entry in accepted_messages.items()
        }
