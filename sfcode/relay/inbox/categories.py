"""
The categories of messages: a category is all messages with the same state, source, reason and event.

There are few categories, and one index contains the messages of each category in the order of receipt. So a search by
any of these four properties reads a few ranges of that index, and no message that does not match.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, get_args

import sqlalchemy as sa

from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX
from sfcode.relay.inbox.types import Filter, State
from sfcode.relay.message import Source

SOURCES: tuple[Source, ...] = get_args(Source)
MOST_CATEGORIES = 500
"""The maximum number of categories in one search. There are more only if a sender invents names of events."""


class Category(NamedTuple):
    """The common properties of the messages of a category, in the order of the index."""

    reason: str
    state: str
    source: str
    kind: str

    def condition(self) -> sa.ColumnElement[bool]:
        """Return the SQL condition for messages of the category."""
        return sa.and_(*(INBOX.c[name] == value for name, value in self._asdict().items()))


def find_categories(tx: Transaction, choice: Filter, states: Collection[State]) -> list[Category]:
    """Return the categories that match a filter and some states, at most one more than `MOST_CATEGORIES`."""
    # The states and sources are listed here, since PostgreSQL might look them up in an index that begins with the
    # source.
    allowed: dict[str, Collection[str]] = {"state": states, "source": SOURCES}
    for name in ("reason", "source", "kind"):
        if (value := getattr(choice, name)) is not None:
            allowed[name] = (value,)
    return list(islice(_categories(tx, allowed, {}), MOST_CATEGORIES + 1))


def _categories(
    tx: Transaction, allowed: Mapping[str, Collection[str]], shared: Mapping[str, str]
) -> Iterator[Category]:
    """Yield the categories that have the values in `shared`, which are those of the first columns of the index."""
    if len(shared) == len(Category._fields):
        yield Category(**shared)
        return
    name = Category._fields[len(shared)]
    for value in allowed[name] if name in allowed else _values(tx, name, shared):
        yield from _categories(tx, allowed, {**shared, name: value})


def _values(tx: Transaction, name: str, shared: Mapping[str, str]) -> Iterator[str]:
    """Yield each distinct value of a column among rows with the values in `shared`, with one index lookup per value."""
    # From the last to the first: most rows that were deleted lately are at the start of their category.
    column = INBOX.c[name]
    rows = sa.select(column).where(*(INBOX.c[other] == value for other, value in shared.items()))
    rows = rows.order_by(column.desc()).limit(1)
    value: str | None = tx.db.scalar(rows)
    while value is not None:
        yield value
        value = tx.db.scalar(rows.where(column < value))
