"""The data of one person in the inbox, for `forget` and `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfcode.relay.appcues import delivered_state
from sfcode.relay.report import message_document
from sfcode.relay.salesforce.event_reader import records_name, score_name
from sfcode.relay.story import event_document

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox


def state_names(user_id: str) -> tuple[str, ...]:
    """Return the names of the latest states whose names contain a user's ID."""
    return (score_name(user_id), records_name(user_id), delivered_state.name(f"user:{user_id}"))


def export_person(inbox: Inbox, user_id: str) -> dict[str, Any]:
    """Return all data of a user in the inbox as decrypted JSON values."""
    person = inbox.find_person(user_id, state_names(user_id))
    stored = [message for id_ in person.messages if (message := inbox.find(id_)) is not None]
    states = inbox.latest(person.states)
    return {
        "user": user_id,
        "records": sorted(person.records),
        "messages": [
            {
                **message_document(message.entry, payload=True),
                "records": list(message.records),
                "history": [event_document(event) for event in message.history],
            }
            for message in stored
        ],
        "values": [{"name": name, "stamp": states[name].stamp, "value": states[name].value} for name in sorted(states)],
    }
