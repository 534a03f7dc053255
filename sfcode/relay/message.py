"""
The relay's values: a message, a claim on some messages, and the settlement of each.

Ingress makes a `Message`, the inbox keeps it, a worker claims it, a writer delivers it and says with
a settlement what became of it. These values know nothing of HTTP, SQL, Salesforce or Appcues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sfcode.lazy_dataclasses import dataclass, field

Source = Literal["appcues", "salesforce"]
"""Where a message comes from; it goes to the other side."""

PAST = "load"
"""The `origin` of loaded past events, which create their own records and change no other record."""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One event of Appcues, or one record that changed in Salesforce, as ingress hands it to the inbox."""

    source: Source
    message_id: str
    """Unique for its source: the same message received again has the same."""
    key: str
    """Messages of one key are delivered in the order of their arrival: `user:ID` or `group:ID`."""
    kind: str
    """Name of the event, or of the mapping."""
    payload: Mapping[str, Any]
    """JSON, from which the message can be delivered and, by a person, understood."""
    parked: str = ""
    """Why it is not to be delivered, as a short name, when that is known on arrival."""
    request_id: str = ""
    """Of the request that brought it, as its sender and the log have it."""
    traceparent: str = ""
    """The trace of that request, in W3C's form."""

    @property
    def record_id(self) -> str:
        """Return the id of the Salesforce record that the message is about; "" for none."""
        record = self.payload.get("record")
        id_ = record.get("Id") if isinstance(record, Mapping) else None
        return id_ if isinstance(id_, str) else ""


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that a worker holds for as long as its lease lasts."""

    id: int
    source: Source
    message_id: str
    key: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    """Deliveries begun before this one."""
    received_at: datetime
    waited: timedelta = timedelta()
    """How long ago that was when it was claimed, never less than nothing."""
    history: str = ""
    """Its history so far, as `inbox.history` writes it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages claimed together, in order of arrival, those of one key next to their elders and never without them."""

    token: str
    """Fencing token of the claim: a process that lost its lease cannot settle."""
    deadline: float
    """When the lease ends, on this process's monotonic clock. No call to the far side may outlast it."""
    messages: tuple[ClaimedMessage, ...]
    lease: float = 60.0
    """Seconds for which the messages were claimed: no call takes longer."""

    @property
    def source(self) -> Source:
        """Return the source of the messages, which is the same for all."""
        return self.messages[0].source


@dataclass(frozen=True, slots=True)
class Delivered:
    """Delivered, or nothing to deliver: `note` says why (stale, not mapped)."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """A temporary failure: retry later, not before `after` seconds where the far side asked for it."""

    error: str
    after: float | None = None
    counts: bool = True
    """Whether the attempt counts towards the limit; an attempt during an outage of the far side does not."""
    reason: str = ""
    """A short name of why it waits, where a person can end the wait: `paused`."""
    paused_mapping: str = ""
    """The mapping that has to be resumed; the inbox lets nothing wait for one that is not paused any more."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Cannot be delivered before a person corrects the cause; stored with its reason until it is replayed."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """Not attempted: returned unchanged, because an older message of the same key is retried first."""


Settlement = Delivered | Retry | Parked | Released


@dataclass(frozen=True, slots=True)
class LatestState:
    """
    The newest state that was delivered of something, such as a record's score or a profile.

    `stamp` is a time in UTC as `2026-11-23T17:23:00.000000Z`, so that texts compare as times do.
    """

    name: str
    stamp: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message that a delivery leaves behind, due after that many seconds: what of the first one has to wait."""

    message: InboxMessage
    after: float


@dataclass(frozen=True, slots=True)
class AttemptedWrite:
    """What a call asked of the far side for a message, and the answer: names and ids, never values."""

    verb: str
    """`update`, `create`, `upsert`, or `set` for a profile."""
    object: str
    """The object, or `user profile` and `group profile` in Appcues."""
    fields: tuple[str, ...]
    status: str
    """`ok`, the error code, or why there is no answer."""
    text: str = ""
    """The error in the far side's words, without the values that it quotes."""
    record_id: str = ""
    """Of the Salesforce record, where it is known."""
    key: str = ""
    """The external id's field."""
    external_id: str = ""

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Return the ids by which the message is found."""
        return tuple(filter(None, (self.record_id, self.external_id)))


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a delivered claim: a settlement for each message, the new latest states, and follow-ups."""

    settlements: Mapping[int, Settlement]
    latest: tuple[LatestState, ...] = field(default=())
    followups: tuple[FollowUp, ...] = field(default=())
    rewritten: tuple[LatestState, ...] = field(default=())
    """States whose values were written again; they are written once more if a newer value exists."""
    redacted: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Payloads that take the place of delivered ones, without texts of people."""
    intents: frozenset[int] = frozenset()
    """Ids of the intents that this delivery accounts for: of each state that they announce it knows what became of it."""
    written: frozenset[str] = frozenset()
    """Names of announced states that calls have written, or written again."""
    doubted: frozenset[str] = frozenset()
    """Names of announced states that a call may have written, or may write yet."""
    writes: Mapping[int, Sequence[AttemptedWrite]] = field(default_factory=dict)
    """What was asked of the far side, by message."""
    seconds: float = 0.0
    """How long the delivery took."""


class StateStore(Protocol):
    """Stores the newest delivered states, and the claims that are writing them."""

    def latest(self, names: Iterable[str], /) -> Mapping[str, LatestState]:
        """Return latest delivered states by name; unknown names are left out."""
        ...

    def announce(self, claim: Claim, names: Collection[str], /) -> int:
        """Store, before the first call, which states a claim may write; return the id of the intent."""
        ...


class Writer(Protocol):
    """Delivers claims to one far side."""

    source: Source
    """The source whose messages it delivers."""
    limit: int
    """How many it takes at once."""
    per_key: int
    """How many of one key it takes at once."""

    @property
    def keys(self) -> int:
        """Of how many keys it takes messages at once: fewer than `limit` leave room for younger ones of each."""
        ...

    async def deliver(self, claim: Claim) -> Delivery:
        """
        Deliver a claim, settling every message of it.

        Trouble of the far side is a settlement; an exception is a bug, after which the claim is retried.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
