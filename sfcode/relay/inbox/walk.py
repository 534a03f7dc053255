"""
The order in which a search reads messages: along the index of its most selective condition.

There are indexes for the messages of a category, of a user and of a record. The messages of each condition are counted
and not estimated, since PostgreSQL's planner would choose a slower index when its statistics are missing or outdated.
The remaining conditions are written so that the database cannot use another index for them. The index of times is used
only by searches that contain its condition.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.categories import MOST_CATEGORIES, Category, find_categories
from sfcode.relay.inbox.column_types import UtcDateTime
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX, RECORDS
from sfcode.relay.inbox.types import STATES, Filter, State

Place = tuple[datetime, int]
"""The position of a row in the order of searches: its time of receipt, and its ID."""
FEW = (200, 2_000)
"""The numbers of messages to count for each condition: the second one is used if every condition reaches the first
one."""
AT_ONCE = 1_000
"""The number of positions that are read at once."""
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Walk:
    """The positions of all messages of a search in one index, and the conditions that remain to be checked."""

    rows: Sequence[sa.Select[Any]]
    """Queries that each select the positions in one range of the index."""
    order: tuple[sa.ColumnElement[Any], ...]
    """The columns that order the index; for a record only the ID, since that index contains no times."""
    rest: Sequence[sa.ColumnElement[bool]]
    """Conditions that must be checked on each message, since the index does not contain them."""

    def places(self, tx: Transaction, after: Place | None, first: int, *, newest_first: bool) -> Iterator[Place]:
        """Yield the positions after another one in order; `first` is the number of positions that are read at first."""
        ranges = (self._range(tx, rows, after, first, newest_first=newest_first) for rows in self.rows)
        return heapq.merge(*ranges, reverse=newest_first)

    def _range(
        self, tx: Transaction, rows: sa.Select[Any], after: Place | None, first: int, *, newest_first: bool
    ) -> Iterator[Place]:
        order = tuple(column.desc() for column in self.order) if newest_first else self.order
        ordered, limit = rows.order_by(*order), min(first, AT_ONCE)
        while True:
            behind = ordered if after is None else ordered.where(self._behind(after, newest_first=newest_first))
            places = [(at or _EPOCH, id_) for at, id_ in tx.db.execute(behind.limit(limit))]
            yield from places
            if len(places) < limit:
                return
            after, limit = places[-1], AT_ONCE

    def _behind(self, place: Place, *, newest_first: bool) -> sa.ColumnElement[bool]:
        values = (sa.literal(place[0], UtcDateTime()), sa.literal(place[1], sa.BigInteger()))
        column, value = sa.tuple_(*self.order), sa.tuple_(*values[-len(self.order) :])
        return column < value if newest_first else column > value

    def count(self, tx: Transaction, most: int) -> int:
        """Count the positions, up to `most`."""
        total = 0
        for rows in self.rows:
            if total < most:
                counted = rows.limit(most - total).subquery()
                total += tx.db.scalar(sa.select(sa.func.count()).select_from(counted)) or 0
        return total


def choose_walk(tx: Transaction, choice: Filter, states: Collection[State]) -> Walk:
    """Return the walk that reads the fewest messages to find those that match a filter and some states."""
    walks = list(_walks_of_ids(choice, states))
    if choice.ids is None and list(_in_category(choice, states)) and (not walks or _count_few(tx, walks) is None):
        walks += _walks_of_categories(tx, choice, states)
    if not walks:
        return _walk_times(choice, states)
    return walks[0] if len(walks) == 1 else _count_few(tx, walks) or walks[0]


def choose_walk_of_change(tx: Transaction, choice: Filter, states: Collection[State]) -> Walk:
    """
    Return the walk for one step of a bulk change.

    All steps must use the same order. So the walk does not depend on the numbers of messages, which differ between
    steps. Walks along categories and along times have the same order.
    """
    for walk in _walks_of_ids(choice, states):
        return walk
    for walk in _walks_of_categories(tx, choice, states):
        return walk
    return _walk_times(choice, states)


def _walks_of_ids(choice: Filter, states: Collection[State]) -> Iterator[Walk]:
    """Yield a walk for each of the filter's conditions on message IDs, on the user and on the record."""
    if choice.ids is not None:
        yield _walk(choice, states, "ids", [INBOX.c.id.in_(choice.ids)])
        return
    if choice.subject is not None:
        yield _walk(choice, states, "subject", [INBOX.c.subject == choice.subject])
    if choice.record is not None:
        yield _walk_record(choice, states, choice.record)


def _walks_of_categories(tx: Transaction, choice: Filter, states: Collection[State]) -> Iterator[Walk]:
    """Yield the walk along the categories that match a filter, unless there are too many categories."""
    categories = find_categories(tx, choice, states)
    if len(categories) <= MOST_CATEGORIES:
        yield walk_categories(choice, states, categories)


def _walk_times(choice: Filter, states: Collection[State]) -> Walk:
    """Return the walk along all messages in the order of receipt."""
    # This condition of the index is true for every row; it makes the database use that index.
    return _walk(choice, states, "time", [INBOX.c.attempts >= sa.literal_column("0")])


def _count_few(tx: Transaction, walks: Sequence[Walk]) -> Walk | None:
    """Return the walk with the fewest messages; None if every walk has more than are counted."""
    for most in FEW:
        counts = [walk.count(tx, most) for walk in walks]
        if min(counts) < most:
            return walks[counts.index(min(counts))]
    return None


def walk_categories(choice: Filter, states: Collection[State], categories: Sequence[Category]) -> Walk:
    """Return the walk along some categories."""
    return _walk(choice, states, "category", [category.condition() for category in categories])


def _walk(choice: Filter, states: Collection[State], name: str, ranges: Sequence[sa.ColumnElement[bool]]) -> Walk:
    times = _times(choice)
    rows = [sa.select(INBOX.c.received_at, INBOX.c.id).where(part, *times) for part in ranges]
    return Walk(rows, (INBOX.c.received_at, INBOX.c.id), tuple(_remaining_conditions(choice, states, name)))


def _walk_record(choice: Filter, states: Collection[State], record: str) -> Walk:
    rows = sa.select(sa.null().label("received_at"), RECORDS.c.message).where(RECORDS.c.record == record)
    return Walk([rows], (RECORDS.c.message,), (*_remaining_conditions(choice, states, "record"), *_times(choice)))


def _times(choice: Filter) -> list[sa.ColumnElement[bool]]:
    received = INBOX.c.received_at
    return [
        *([received >= choice.since] if choice.since is not None else []),
        *([received < choice.until] if choice.until is not None else []),
    ]


def _remaining_conditions(choice: Filter, states: Collection[State], walked: str) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions of a search that must be checked on each message, in a form for which no index is used."""
    if walked != "category":
        yield from _in_category(choice, states)
    if choice.subject is not None and walked != "subject":
        yield plain(INBOX.c.subject) == choice.subject
    if choice.record is not None and walked != "record":
        has_record = (RECORDS.c.message == INBOX.c.id) & (plain(RECORDS.c.record) == choice.record)
        yield sa.exists().where(has_record).correlate(INBOX)


def _in_category(choice: Filter, states: Collection[State]) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions of a search on the state, source, reason and event of messages."""
    if len(states) < len(STATES):
        yield plain(INBOX.c.state).in_(states)
    for name in ("source", "reason", "kind"):
        if (value := getattr(choice, name)) is not None:
            yield plain(INBOX.c[name]) == value


def plain(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return a column as an expression for which the database uses no index."""
    return sa.func.coalesce(column, "")
