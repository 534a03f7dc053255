"""
Messages that write the newest value of a state again, because an older value may have arrived late.

A state is what one call sets in Salesforce or Appcues: a field of a record, or a profile. The message has its own
key, so that no other message waits for it. It contains no value, since the newest value is read at its delivery.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sfcode.relay.message import ClaimedMessage, InboxMessage, Source

KIND = "sfcode:rewrite"
PREFIX = "rewrite:"


def rewrite_key(name: str) -> str:
    """Return the key of the messages that write a state again."""
    return f"{PREFIX}{name}"


def rewrites(source: Source, names: Iterable[str]) -> list[InboxMessage]:
    """Return a message for each state to write again; each call of this function gives new message IDs."""
    suffix = uuid.uuid4().hex
    return [
        InboxMessage(source, f"{rewrite_key(name)}:{suffix}", rewrite_key(name), KIND, {"rewrite": name})
        for name in sorted(set(names))
    ]


def rewritten_name(message: ClaimedMessage) -> str:
    """Return the name of the state that a message writes again; "" for other messages."""
    return str(message.payload.get("rewrite") or "") if message.kind == KIND else ""
