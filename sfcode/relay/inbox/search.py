"""
Search the inbox: each search walks one index from its newest row, however many rows are kept.

The conditions of a search determine the index: IDs, the user, a record, a reason, a state, the event, or else the time. The other conditions
are written so that no index supports them: with missing or outdated statistics the planner could choose a slower index.
The index of times is used only by searches that contain its condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, get_args

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.inbox.column_types import UtcDateTime
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.history import HistoryEvent, parse
from sfcode.relay.inbox.tables import INBOX, RECORDS, state_of
from sfcode.relay.inbox.types import BLOCKED, Filter, InboxEntry, State
from sfcode.relay.message import Source

SOURCES: tuple[Source, ...] = get_args(Source)
OPEN: tuple[State, ...] = ("ready", "leased")
ENDED: tuple[State, ...] = ("done", *BLOCKED)
COLUMNS = tuple(INBOX.c[name] for name in InboxEntry.__slots__)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its history and its records."""

    entry: InboxEntry
    history: tuple[HistoryEvent, ...]
    """The history of the message, the oldest event first."""
    records: tuple[str, ...]
    """IDs and external IDs of the records that the message concerns or was written to."""


Place = tuple[datetime, int]
"""The position of a row in a list: when it was received, and its ID."""


def page(tx: Transaction, choice: Filter, limit: int, before: InboxEntry | None) -> tuple[InboxEntry, ...]:
    """Return rows, the newest first; `before` is the last one of the previous page."""
    entries: list[InboxEntry] = []
    for part in split(choice):
        rows = sa.select(*COLUMNS).where(*conditions(part))
        if before is not None:
            rows = rows.where(_place(part) < _literal(part, (tx.to_stored(before.received_at), before.id)))
        newest = rows.order_by(*(column.desc() for column in _order(part))).limit(limit)
        entries += (_by_wall_clock(tx, InboxEntry(*row)) for row in tx.db.execute(newest))
    if _driver(choice) == "record":
        return tuple(entries)
    return tuple(sorted(entries, key=lambda entry: (entry.received_at, entry.id), reverse=True)[:limit])


def ended_since(tx: Transaction, choice: Filter, limit: int) -> tuple[InboxEntry, ...]:
    """Return the newest rows that ended since the time of a filter."""
    entries: list[InboxEntry] = []
    for source in SOURCES:
        for state in ENDED:
            ended = (INBOX.c.state == state) & (INBOX.c.source == source) & INBOX.c.finished_at.is_not(None)
            rows = sa.select(*COLUMNS).where(ended, INBOX.c.finished_at >= choice.since)
            newest = rows.order_by(INBOX.c.finished_at.desc()).limit(limit)
            entries += (_by_wall_clock(tx, InboxEntry(*row)) for row in tx.db.execute(newest))
    return tuple(entries)


def count_all(tx: Transaction, parts: Iterable[Filter], most: int) -> int:
    """Count the rows of the parts of a search, up to `most`."""
    total = 0
    for part in parts:
        rows = sa.select(INBOX.c.id).where(*conditions(part)).limit(most - total)
        total += tx.db.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
    return total


def find_oldest(tx: Transaction, choice: Filter) -> InboxEntry | None:
    """Return the oldest row of one part of a search."""
    rows = sa.select(*COLUMNS).where(*conditions(choice)).order_by(*_order(choice)).limit(1)
    row = tx.db.execute(rows).first()
    return None if row is None else _by_wall_clock(tx, InboxEntry(*row))


def find(tx: Transaction, id_: int) -> StoredMessage | None:
    """Return a message with its history and its records."""
    row = tx.db.execute(sa.select(*COLUMNS, INBOX.c.history).where(INBOX.c.id == id_)).first()
    if row is None:
        return None
    *values, history = row
    records = tx.db.scalars(sa.select(RECORDS.c.record).where(RECORDS.c.message == id_).order_by(RECORDS.c.record))
    entry = _by_wall_clock(tx, InboxEntry(*values))
    return StoredMessage(entry, parse(history, tx.database.clock.shift), tuple(records))


def _by_wall_clock(tx: Transaction, entry: InboxEntry) -> InboxEntry:
    return replace(
        entry,
        due_at=tx.to_wall(entry.due_at),
        received_at=tx.to_wall(entry.received_at),
        finished_at=entry.finished_at and tx.to_wall(entry.finished_at),
    )


def rows_after(choice: Filter, place: Place | None, limit: int) -> sa.Select[tuple[int, datetime, str, str]]:
    """Return the query for the rows of one part of a search after a position, the oldest first."""
    rows = sa.select(INBOX.c.id, INBOX.c.received_at, INBOX.c.source, INBOX.c.key).where(*conditions(choice))
    if place is not None:
        rows = rows.where(_place(choice) > _literal(choice, place))
    return rows.order_by(*_order(choice)).limit(limit)


def split(choice: Filter) -> Iterator[Filter]:
    """
    Split a search by state into one per source, since the index of states begins with state and source.

    A search by event is split into one for finished messages, with its own index, and one for open messages.
    """
    if _driver(choice) == "state" and choice.source is None:
        for source in SOURCES:
            yield replace(choice, source=source)
    elif _driver(choice) == "kind":
        yield choice
        for state in OPEN:
            yield from split(replace(choice, state=state))
    else:
        yield choice


def by_state(choice: Filter, states: Iterable[State]) -> list[Filter]:
    """Split a search without a state into one per state, and these again by source."""
    chosen = tuple(states) if choice.state is None else (choice.state,)
    return [part for state in chosen for part in split(replace(choice, state=state))]


def conditions(choice: Filter) -> Sequence[sa.ColumnElement[bool]]:
    """Translate a part of a search to SQL conditions."""
    driver = _driver(choice)
    clauses: list[sa.ColumnElement[bool]] = []
    if driver == "state" and choice.source is not None and choice.state is not None:
        clauses.append(state_of(choice.source, choice.state))
        choice = replace(choice, source=None, state=None)
    for name in ("subject", "reason", "state", "source", "kind"):
        value = getattr(choice, name)
        if value is not None:
            column = INBOX.c[name]
            # The indexes of reasons and states contain the kind, so that rows of other kinds are not read.
            clauses.append((column if name in (driver, "kind") else sa.func.coalesce(column, "")) == value)
    if choice.record is not None:
        found = RECORDS.c.record == choice.record
        if driver == "record":
            clauses += [found, RECORDS.c.message == INBOX.c.id]
        else:
            clauses.append(INBOX.c.id.in_(sa.select(RECORDS.c.message).where(found)))
    if driver == "reason":
        clauses.append(INBOX.c.reason != sa.literal_column("''"))  # the index contains only rows with a reason
    if driver == "kind":
        clauses.append(INBOX.c.finished_at.is_not(None))
    if driver == "time":
        clauses.append(INBOX.c.attempts >= sa.literal_column("0"))  # true for each row, for the partial index
    if choice.ids is not None:
        clauses.append(INBOX.c.id.in_(choice.ids))
    if choice.since is not None:
        clauses.append(INBOX.c.received_at >= choice.since)
    if choice.until is not None:
        clauses.append(INBOX.c.received_at < choice.until)
    return clauses


def _driver(choice: Filter) -> str:
    """Return the name of the condition whose index a search uses."""
    if choice.ids is not None:
        return "ids"
    for name in ("subject", "record"):
        if getattr(choice, name) is not None:
            return name
    if choice.reason:
        return "reason"
    if choice.state is not None:
        return "state"
    return "kind" if choice.kind is not None else "time"


def _order(choice: Filter) -> tuple[sa.ColumnElement[Any], ...]:
    """Return the order of a search: by ID for the messages of a record, whose index has no times, else by time."""
    return (RECORDS.c.message,) if _driver(choice) == "record" else (INBOX.c.received_at, INBOX.c.id)


def _place(choice: Filter) -> sa.Tuple:
    return sa.tuple_(*_order(choice))


def _literal(choice: Filter, place: Place) -> sa.Tuple:
    id_ = sa.literal(place[1], sa.BigInteger())
    return sa.tuple_(id_) if _driver(choice) == "record" else sa.tuple_(sa.literal(place[0], UtcDateTime()), id_)
