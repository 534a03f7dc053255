"""
Search the inbox: one search checks a limited number of messages, even if the inbox has many more rows.

A search reads the messages that match its most selective condition (walk.py), and checks the other conditions on each
of them. If even that condition matches too many messages, the search returns how far it got, and can be continued from
there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.inbox.categories import SOURCES, find_categories
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.history import HistoryEvent, parse
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import INBOX, RECORDS
from sfcode.relay.inbox.types import BLOCKED, STATES, Filter, InboxEntry, State
from sfcode.relay.inbox.walk import AT_ONCE, Place, Walk, choose_walk, walk_categories

ENDED: tuple[State, ...] = ("done", *BLOCKED)
MOST_LOOKED_AT = 20_000
"""The number of messages that one search checks, which takes well below a second."""
FIRST = 100
"""The number of messages that a search reads first, if it has to check conditions on them."""
COLUMNS = tuple(INBOX.c[name] for name in InboxEntry.__slots__)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its history and its records."""

    entry: InboxEntry
    history: tuple[HistoryEvent, ...]
    """The history of the message, the oldest event first."""
    records: tuple[str, ...]
    """IDs and external IDs of the records that the message concerns or was written to."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The messages that a search has found, the newest first."""

    entries: tuple[InboxEntry, ...]
    last: Place | None
    """The position after which the next page begins; None on the last page."""
    is_partial: bool = False
    """Whether the search reached the maximum number of checked messages before the page was full."""


class MessageCount(NamedTuple):
    """The number of messages that match a filter."""

    number: int
    is_partial: bool = False
    """Whether more messages may match than were counted."""


def search(tx: Transaction, choice: Filter, limit: int, before: Place | None) -> SearchPage:
    """Return a page of messages; `before` is the `last` of the previous page."""
    walk = choose_walk(tx, choice, states_of(choice, STATES))
    entries: list[InboxEntry] = []
    looked_at, place = 0, before and (tx.to_stored(before[0]), before[1])
    first = max(limit + 1, FIRST) if walk.rest else limit + 1
    for places in _chunks(walk.places(tx, place, first, newest_first=True), first):
        looked_at += len(places)
        entries += _fetch(tx, walk, places)
        if len(entries) > limit:
            last = entries[limit - 1]
            return SearchPage(tuple(entries[:limit]), (last.received_at, last.id))
        if looked_at >= MOST_LOOKED_AT and walk.rest:
            return SearchPage(tuple(entries), _place(tx, places[-1][1]), is_partial=True)
    return SearchPage(tuple(entries), None)


def read_pages(
    find_page: Callable[[int, Place | None], SearchPage],
    limit: int,
    before: Place | None = None,
    *,
    until_partial: bool,
) -> SearchPage:
    """Return up to `limit` messages from several pages; with `until_partial`, stop after a partial page."""
    entries: tuple[InboxEntry, ...] = ()
    while True:
        page = find_page(min(limit - len(entries), AT_ONCE), before)
        entries, before = entries + page.entries, page.last
        if before is None or len(entries) >= limit or (until_partial and page.is_partial):
            return replace(page, entries=entries)


def states_of(choice: Filter, states: Collection[State]) -> Collection[State]:
    """Return the state of a filter, or else the given states."""
    return states if choice.state is None else (choice.state,)


def _chunks(places: Iterator[Place], first: int) -> Iterator[list[Place]]:
    chunk = list(islice(places, first))
    while chunk:
        yield chunk
        chunk = list(islice(places, AT_ONCE))


def _fetch(tx: Transaction, walk: Walk, places: Sequence[Place]) -> Iterator[InboxEntry]:
    """Yield the messages at some positions of a walk, in order, that match its remaining conditions."""
    rows = tx.db.execute(sa.select(*COLUMNS).where(*_matching(walk, places)))
    entries = {entry.id: entry for entry in (_by_wall_clock(tx, InboxEntry(*row)) for row in rows)}
    return (entries[id_] for _, id_ in places if id_ in entries)


def _matching(walk: Walk, places: Sequence[Place]) -> tuple[sa.ColumnElement[bool], ...]:
    return within(INBOX.c.id, [id_ for _, id_ in places]), *walk.rest


def _place(tx: Transaction, id_: int) -> Place | None:
    received_at = tx.db.scalar(sa.select(INBOX.c.received_at).where(INBOX.c.id == id_))
    return received_at and (tx.to_wall(received_at), id_)


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


def count(tx: Transaction, choice: Filter, states: Collection[State], most: int) -> MessageCount:
    """
    Count the messages that match a filter, up to `most`; `states` apply if the filter has no state.

    If conditions must be checked on each message, at most `MOST_LOOKED_AT` messages are checked.
    """
    walk = choose_walk(tx, choice, states_of(choice, states))
    if not walk.rest:
        number = walk.count(tx, most)
        return MessageCount(number, number >= most)
    number = looked_at = 0
    for places in _chunks(walk.places(tx, None, AT_ONCE, newest_first=True), AT_ONCE):
        number += tx.db.scalar(sa.select(sa.func.count()).where(*_matching(walk, places))) or 0
        looked_at += len(places)
        if looked_at >= MOST_LOOKED_AT:
            return MessageCount(number, is_partial=True)
    return MessageCount(number)


class RowsBehind(NamedTuple):
    """The next rows that a bulk change selects."""

    rows: Sequence[Any]
    """ID, source and key of each row."""
    last: Place | None
    """The position after which the change continues; None at the end."""


def rows_behind(tx: Transaction, walk: Walk, place: Place | None, limit: int) -> RowsBehind:
    """Return the matching rows among the next `limit` positions of a walk, the oldest first."""
    places = list(islice(walk.places(tx, place, limit, newest_first=False), limit))
    rows = tx.db.execute(sa.select(INBOX.c.id, INBOX.c.source, INBOX.c.key).where(*_matching(walk, places)))
    return RowsBehind(rows.all(), places[-1] if len(places) == limit else None)


def find_oldest(tx: Transaction, choice: Filter) -> InboxEntry | None:
    """Return the oldest message that matches a filter; if the filter has too many categories, only the first are searched."""
    states = states_of(choice, STATES)
    walk = walk_categories(choice, states, find_categories(tx, choice, states))
    oldest = list(islice(walk.places(tx, None, 1, newest_first=False), 1))
    return next(_fetch(tx, walk, oldest), None) if oldest else None


def find(tx: Transaction, id_: int) -> StoredMessage | None:
    """Return a message with its history and its records."""
    row = tx.db.execute(sa.select(*COLUMNS, INBOX.c.history).where(INBOX.c.id == id_)).first()
    if row is None:
        return None
    *values, history = row
    records = tx.db.scalars(sa.select(RECORDS.c.record).where(RECORDS.c.message == id_).order_by(RECORDS.c.record))
    entry = _by_wall_clock(tx, InboxEntry(*values))
    events = [
        replace(event, at=entry.received_at) if event.event == "received" else event
        for event in parse(history, tx.database.clock.shift)
    ]
    return StoredMessage(entry, tuple(events), tuple(records))


def _by_wall_clock(tx: Transaction, entry: InboxEntry) -> InboxEntry:
    return replace(
        entry,
        due_at=tx.to_wall(entry.due_at),
        received_at=tx.to_wall(entry.received_at),
        finished_at=entry.finished_at and tx.to_wall(entry.finished_at),
    )
