"""Messages, and short functions for common steps of tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sfcode.relay.inbox import Filter, Inbox, State
from sfcode.relay.message import (
    Claim,
    ClaimedMessage,
    Delivered,
    Delivery,
    InboxMessage,
    LatestState,
    Retry,
    Settlement,
)


def message(number: int, key: str = "user:1", **changes: Any) -> InboxMessage:
    values: dict[str, Any] = {"source": "appcues", "message_id": f"m{number}", "kind": "nps_score"}
    return InboxMessage(**{**values, "key": key, "payload": {"number": number}, **changes})


def keyed(*keys: str) -> list[InboxMessage]:
    """Return messages 0, 1, 2, ... with these users."""
    return [message(number, f"user:{key}") for number, key in enumerate(keys)]


def take(inbox: Inbox, limit: int = 100, per_key: int = 1, lease: float = 60) -> Claim:
    claim = inbox.claim("appcues", limit=limit, per_key=per_key, lease=lease)
    assert claim is not None
    return claim


def idle(inbox: Inbox) -> bool:
    return inbox.claim("appcues", limit=100, per_key=100, lease=60) is None


def numbers(messages: Claim | Sequence[ClaimedMessage]) -> list[int]:
    return [message.payload["number"] for message in (messages.messages if isinstance(messages, Claim) else messages)]


def never(_: ClaimedMessage, __: Retry) -> timedelta | None:
    return None


def settle(
    inbox: Inbox,
    claim: Claim,
    settlement: Settlement | None = None,
    latest: Iterable[LatestState] = (),
    retry: Any = never,
) -> int:
    """Settle all messages of a claim in the same way."""
    ends = {message.id: settlement or Delivered() for message in claim.messages}
    return inbox.settle(claim, Delivery(ends, tuple(latest)), retry)


def states(inbox: Inbox) -> dict[int, State]:
    return {entry.payload["number"]: entry.state for entry in inbox.page(Filter(), 1000)}
