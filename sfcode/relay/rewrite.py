"""
Messages that write the newest value of a state again after an older one may have arrived late.

A latest state is the name of what one call sets on the far side: a field of a record, or a profile. The message has its own
key, so that no other message waits for it, and no value: it is delivered with the newest value at that time.
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
    """Return a message for each state to be written again; the messages of each call have new IDs."""
    occasion = uuid.uuid4().hex
    return [
        InboxMessage(source, f"{rewrite_key(name)}:{occasion}", rewrite_key(name), KIND, {"rewrite": name})
        for name in sorted(set(names))
    ]


def rewritten_name(message: ClaimedMessage) -> str:
    """Return the name of the state that a message writes again; "" for other messages."""
    return str(message.payload.get("rewrite") or "") if message.kind == KIND else ""
