"""The inbox's types for administration: rows, counts, processes, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from sfcode.errors import Refused, SfcodeError
from sfcode.lazy_dataclasses import dataclass, field

State = Literal["ready", "leased", "done", "parked", "dead"]
"""Ready and leased rows are open: younger rows of their key wait for them. Rows in the other states are finished."""

STATES: tuple[State, ...] = get_args(State)
Purged = State | Literal["audit"]
"""What a purge deletes: the messages of a state, or audit lines."""

ChangeAction = Literal["replay", "discard"]
"""What a bulk change does with its messages."""
ACTIONS: tuple[ChangeAction, ...] = get_args(ChangeAction)

BLOCKED: tuple[State, ...] = ("parked", "dead")
"""The states that a replay selects by default."""


class Unavailable(SfcodeError):
    """Raised when the database does not answer, or not in time; nothing was written."""


class MissingInbox(Refused):
    """Raised when the database does not exist, or has no tables of the relay."""

    def __init__(self, location: str) -> None:
        hint = "Check SFCODE_RELAY_DATABASE_URL; `sfcode relay serve` creates an inbox."
        super().__init__(f"There is no inbox {location}.", hint)


class RowLocked(SfcodeError):
    """Raised when another process has locked one of the rows; nothing was written, but other rows can be."""


class Busy(SfcodeError):
    """Raised when too many messages wait to be written; the sender must send again."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects rows that match all given conditions."""

    ids: tuple[int, ...] | None = None
    state: State | None = None
    reason: str | None = None
    source: str | None = None
    kind: str | None = None
    subject: str | None = None
    """The subject of the messages: `user:ID`, or their key if they have no user."""
    record: str | None = None
    """The ID or external ID of a Salesforce record that the messages concern or were written to."""
    since: datetime | None = None
    """Messages received at this time or later."""
    until: datetime | None = None
    """Messages received before this time."""


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A row of the inbox, for pages and commands."""

    id: int
    source: str
    message_id: str
    key: str
    kind: str
    payload: Mapping[str, Any]
    state: State
    reason: str
    """Short name of the reason why the message is parked or dead."""
    detail: str
    attempts: int
    due_at: datetime
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxStats:
    """Row counts of the inbox at one time."""

    now: datetime
    """The time at which the rows were counted."""
    counts_by_reason: Mapping[tuple[str, State, str], int]
    """The number of rows by source, state and reason; zero counts are left out."""
    oldest: Mapping[str, datetime]
    """The time at which the oldest open row of each source was received."""
    waiting: Mapping[str, int]
    """Keys of each source that wait for a retry or the end of a lease, counted up to 10,000."""
    oldest_blocked: Mapping[str, datetime] = field(default_factory=dict)
    """The time at which the oldest blocked row of each source was received."""

    @property
    def counts(self) -> Mapping[tuple[str, State], int]:
        """The number of rows by source and state; zero counts are left out."""
        totals: Counter[tuple[str, State]] = Counter()
        for (source, state, _), number in self.counts_by_reason.items():
            totals[source, state] += number
        return totals

    @property
    def reasons(self) -> Mapping[tuple[str, State, str], int]:
        """The number of parked and dead rows by source, state and reason."""
        return {key: number for key, number in self.counts_by_reason.items() if key[1] in BLOCKED}

    def count(self, state: State, source: str | None = None) -> int:
        """Count the rows of a state, of one source or of all."""
        return sum(
            number
            for (row_source, row_state), number in self.counts.items()
            if row_state == state and source in (None, row_source)
        )


@dataclass(frozen=True, slots=True)
class Process:
    """A relay process with its last heartbeat."""

    id: str
    started_at: datetime
    seen_at: datetime
    config: str = ""
    """Digest of the config that the process uses."""
