"""The inbox's values for administration: rows, counts, processes, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from sfcode.errors import SfcodeError
from sfcode.lazy_dataclasses import dataclass, field

State = Literal["ready", "leased", "done", "parked", "dead"]
"""Ready and leased rows are open: they block the younger ones of their key. The others are finished."""

STATES: tuple[State, ...] = get_args(State)
BLOCKED: tuple[State, ...] = ("parked", "dead")
"""The states that a replay includes by default: not the delivered ones."""


class Unavailable(SfcodeError):
    """The database does not answer, or not in time; nothing was written."""


class RowLocked(SfcodeError):
    """Another process holds a lock on one of the rows; nothing was written, and other rows may be."""


class Busy(SfcodeError):
    """More messages wait to be written than memory should hold; the sender has to come again."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects rows that match all given conditions."""

    ids: tuple[int, ...] | None = None
    state: State | None = None
    reason: str | None = None
    source: str | None = None
    kind: str | None = None
    subject: str | None = None
    """Whom they are about: `user:ID`, or their key where no user is known."""
    record: str | None = None
    """A Salesforce record that they are about or were written to: its id, or its external id."""
    since: datetime | None = None
    """Received then or later."""
    until: datetime | None = None
    """Received before."""


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
    """Short name of why it is parked or dead."""
    detail: str
    attempts: int
    due_at: datetime
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxStats:
    """Row counts of the inbox at one time."""

    now: datetime
    """When they were counted."""
    counts_by_reason: Mapping[tuple[str, State, str], int]
    """Rows by source, state and reason; zero counts are left out."""
    oldest: Mapping[str, datetime]
    """When the oldest open row of each source was received."""
    waiting: Mapping[str, int]
    """Keys of each source that wait: for a retry, or for a lease to end. No more than 10,000 are counted."""
    oldest_blocked: Mapping[str, datetime] = field(default_factory=dict)
    """When the oldest row of each source that waits for a person was received."""

    @property
    def counts(self) -> Mapping[tuple[str, State], int]:
        """Rows by source and state; zero counts are left out."""
        totals: Counter[tuple[str, State]] = Counter()
        for (source, state, _), number in self.counts_by_reason.items():
            totals[source, state] += number
        return totals

    @property
    def reasons(self) -> Mapping[tuple[str, State, str], int]:
        """Parked and dead rows by source, state and reason."""
        return {key: number for key, number in self.counts_by_reason.items() if key[1] in BLOCKED}

    def count(self, state: State, source: str | None = None) -> int:
        """Count the rows of a state, of one source or of all."""
        return sum(
            number
            for (whose, row_state), number in self.counts.items()
            if row_state == state and source in (None, whose)
        )


@dataclass(frozen=True, slots=True)
class Process:
    """A relay process with its last heartbeat."""

    id: str
    started_at: datetime
    seen_at: datetime
    config: str = ""
    """Digest of the config that it works by."""
