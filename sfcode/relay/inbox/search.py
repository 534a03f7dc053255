"""
Search the inbox: each search walks one index from its newest row, however many rows are kept.

The conditions of a search determine the index: IDs, the user, a reason, a state, or else the time. The other conditions
are written so that no index supports them, since a planner with missing or outdated statistics would choose a slower one.
The index of times is used only by searches that contain its condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

import sqlalchemy as sa

from sfcode.relay.inbox.column_types import UtcDateTime
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX, state_of
from sfcode.relay.inbox.types import Filter, InboxEntry
from sfcode.relay.message import Source

SOURCES: tuple[Source, ...] = get_args(Source)
COLUMNS = tuple(INBOX.c[name] for name in InboxEntry.__slots__)

Place = tuple[datetime, int]
"""When a row was received, and its id: what lists are ordered by."""


def page(tx: Transaction, choice: Filter, limit: int, before: InboxEntry | None) -> tuple[InboxEntry, ...]:
    """Return rows, the newest first; `before` is the last one of the previous page."""
    entries: list[InboxEntry] = []
    for part in split(choice):
        rows = sa.select(*COLUMNS).where(*conditions(part))
        if before is not None:
            rows = rows.where(_place() < _literal((tx.to_stored(before.received_at), before.id)))
        newest = rows.order_by(INBOX.c.received_at.desc(), INBOX.c.id.desc()).limit(limit)
        entries += (_by_wall_clock(tx, InboxEntry(*row)) for row in tx.db.execute(newest))
    return tuple(sorted(entries, key=lambda entry: (entry.received_at, entry.id), reverse=True)[:limit])


def _by_wall_clock(tx: Transaction, entry: InboxEntry) -> InboxEntry:
    return replace(
        entry,
        due_at=tx.to_wall(entry.due_at),
        received_at=tx.to_wall(entry.received_at),
        finished_at=entry.finished_at and tx.to_wall(entry.finished_at),
    )


def finished_after(choice: Filter, place: Place | None, limit: int) -> sa.Select[tuple[int, datetime]]:
    """Return the query for id and time of the finished rows that one part of a search finds, the oldest first."""
    rows = sa.select(INBOX.c.id, INBOX.c.received_at).where(*conditions(choice), _is_finished())
    if place is not None:
        rows = rows.where(_place() > _literal(place))
    return rows.order_by(INBOX.c.received_at, INBOX.c.id).limit(limit)


def split(choice: Filter) -> Iterator[Filter]:
    """Split a search by state into one for each source: the index of states begins with both."""
    if _driver(choice) == "state" and choice.source is None:
        for source in SOURCES:
            yield replace(choice, source=source)
    else:
        yield choice


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
            clauses.append((column if name == driver else sa.func.coalesce(column, "")) == value)
    if driver == "reason":
        clauses.append(INBOX.c.reason != sa.literal_column("''"))  # the index has only rows with a reason
    if driver == "time":
        clauses.append(INBOX.c.attempts >= sa.literal_column("0"))  # true of each row, and a condition of the index
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
    if choice.subject is not None:
        return "subject"
    if choice.reason:
        return "reason"
    return "state" if choice.state is not None else "time"


def _is_finished() -> sa.ColumnElement[bool]:
    return INBOX.c.finished_at.is_(None).is_(sa.false())


def _place() -> sa.Tuple:
    return sa.tuple_(INBOX.c.received_at, INBOX.c.id)


def _literal(place: Place) -> sa.Tuple:
    return sa.tuple_(sa.literal(place[0], UtcDateTime()), sa.literal(place[1], sa.BigInteger()))
