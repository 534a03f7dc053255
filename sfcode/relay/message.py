"""
The relay's types: messages, claims on messages, and the settlement of each message.

Ingress creates a message, the inbox stores it, a worker claims it, a writer delivers it and returns
a settlement. These types are independent of HTTP, SQL, Salesforce and Appcues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sfcode.lazy_dataclasses import dataclass, field

Source = Literal["appcues", "salesforce"]
"""The sender of a message; it is delivered to the other side."""

PAST = "load"
"""The `origin` of loaded past events, which create their own records and change no other record."""

LONGEST_NAME = 255
"""The maximum length of the name of an event."""

LONGEST_ID = 255
"""The maximum length of the ID of a user or a group, which is part of the keys of the inbox."""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One event of Appcues, or one changed record of Salesforce."""

    source: Source
    message_id: str
    """Unique within its source, and the same when the message is received again."""
    key: str
    """Messages of one key are delivered in the order of their arrival: `user:ID` or `group:ID`."""
    kind: str
    """Name of the event, or of the mapping."""
    payload: Mapping[str, Any]
    """The content as JSON, sufficient to deliver the message and readable by a person."""
    parked: str = ""
    """The reason why the message cannot be delivered, as a short name, if that is known on arrival."""
    request_id: str = ""
    """The ID of the request that delivered the message, as in the log and at its sender."""
    traceparent: str = ""
    """The trace of that request, as a W3C `traceparent`."""

    @property
    def record_id(self) -> str:
        """The ID of the Salesforce record that the message concerns; "" for none."""
        record = self.payload.get("record")
        id_ = record.get("Id") if isinstance(record, Mapping) else None
        return id_ if isinstance(id_, str) else ""


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that is claimed by a worker until its lease ends."""

    id: int
    source: Source
    message_id: str
    key: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    """Earlier attempts to deliver the message."""
    received_at: datetime
    waited: timedelta = timedelta()
    """The age of the message when it was claimed, never negative."""
    history: str = ""
    """The history of the message so far, in the format of `inbox.history`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that are claimed together, in order of arrival. It contains no message without the older ones of its key."""

    token: str
    """The fencing token of the claim, so that a process that lost its lease cannot settle."""
    deadline: float
    """The time at which the lease ends, on this process's monotonic clock. No call to Salesforce or Appcues may outlast
    it."""
    messages: tuple[ClaimedMessage, ...]
    lease: float = 60.0
    """The length of the lease in seconds; no call takes longer."""

    @property
    def source(self) -> Source:
        """The source of the messages, which is the same for all."""
        return self.messages[0].source


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message was delivered, or there was nothing to deliver for the reason in `note` (stale, not mapped)."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """
    The message is retried after a temporary failure.

    If Salesforce or Appcues asked for a wait, it is retried after at least `after` seconds.
    """

    error: str
    after: float | None = None
    counts: bool = True
    """Whether the attempt counts towards the limit; an attempt during an outage does not."""
    of_mapping: bool = False
    """Whether only the messages of one mapping wait, while those of other mappings can be delivered."""
    reason: str = ""
    """The reason of a wait that a person can end, as a short name: `paused`."""
    paused_mapping: str = ""
    """The paused mapping that the message waits for; if it is no longer paused, the inbox makes the message due."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The message cannot be delivered before a person corrects the cause; it is stored until it is replayed."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """The message was not attempted and is unchanged, because an older message of the same key is retried first."""


Settlement = Delivered | Retry | Parked | Released


@dataclass(frozen=True, slots=True)
class LatestState:
    """
    The newest delivered state of a field or a profile, such as the score of a record.

    `stamp` is a time in UTC such as `2026-11-23T17:23:00.000000Z`, which sorts by time as text.
    """

    name: str
    stamp: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message for the part of a delivered message that must wait, due after a number of seconds."""

    message: InboxMessage
    after: float
    why: str = ""
    """What the message waits for, or the error that postponed it."""


@dataclass(frozen=True, slots=True)
class AttemptedWrite:
    """A write of a message to Salesforce or Appcues, and its outcome: names and IDs, never values."""

    verb: str
    """`update`, `create`, `upsert`, or `set` for a profile."""
    object: str
    """The object in Salesforce; in Appcues `user profile` or `group profile`."""
    fields: tuple[str, ...]
    status: str
    """`ok`, the error code, or why there was no answer."""
    text: str = ""
    """The error text of Salesforce or Appcues, without the values that it quotes."""
    record_id: str = ""
    """The ID of the Salesforce record, if known."""
    key: str = ""
    """The field of the external ID."""
    external_id: str = ""

    @property
    def record_ids(self) -> tuple[str, ...]:
        """The Salesforce ID and the external ID of the record, as far as known."""
        return tuple(filter(None, (self.record_id, self.external_id)))


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a delivered claim: a settlement for each message, the new latest states, and follow-ups."""

    settlements: Mapping[int, Settlement]
    latest: tuple[LatestState, ...] = field(default=())
    followups: tuple[FollowUp, ...] = field(default=())
    rewritten: tuple[LatestState, ...] = field(default=())
    """States whose values were written again, and which must be written once more if a newer value exists."""
    redacted: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Payloads that replace those of delivered messages, without texts that people have written."""
    intents: frozenset[int] = frozenset()
    """IDs of the intents for whose states this delivery knows the outcome."""
    written: frozenset[str] = frozenset()
    """Names of announced states that calls have written or written again."""
    doubted: frozenset[str] = frozenset()
    """Names of announced states that a call may have written, or may still write."""
    writes: Mapping[int, Sequence[AttemptedWrite]] = field(default_factory=dict)
    """The writes to Salesforce or Appcues, by message."""
    seconds: float = 0.0
    """The duration of the delivery in seconds."""


class StateStore(Protocol):
    """Stores the newest delivered states, and the intents of claims that are writing them."""

    def latest(self, names: Iterable[str], /) -> Mapping[str, LatestState]:
        """Return latest delivered states by name; unknown names are left out."""
        ...

    def announce(self, claim: Claim, names: Collection[str], /) -> int:
        """Store the names of the states that a claim may write, before its first call; return the ID of the intent."""
        ...


class Writer(Protocol):
    """Delivers claims to Salesforce or to Appcues."""

    source: Source
    """The source whose messages it delivers."""
    limit: int
    """The maximum number of messages in a claim."""
    per_key: int
    """The maximum number of messages of one key in a claim."""

    @property
    def keys(self) -> int:
        """The maximum number of keys in a claim; fewer than `limit` leave room for several messages per key."""
        ...

    async def deliver(self, claim: Claim) -> Delivery:
        """
        Deliver a claim, settling every message of it.

        A failure of Salesforce or Appcues is returned as settlements. An exception is a bug, after which the claim is retried.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
