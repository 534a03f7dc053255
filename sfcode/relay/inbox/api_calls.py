"""The numbers of requests to the org by hour, as rows that all processes add to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

import sqlalchemy as sa

from sfcode.relay.api_calls import ApiCallCount, ApiUse
from sfcode.relay.inbox.dialects import RunTransaction, Transaction
from sfcode.relay.inbox.tables import API_CALLS

WINDOW = 24
"""The number of hours of a budget, including the present one."""
KEPT = timedelta(days=8)
HOUR = 3600

_KEY = (API_CALLS.c.hour, API_CALLS.c.direction, API_CALLS.c.mapping, API_CALLS.c.purpose)


class ApiCallLog:
    """The stored numbers of requests to the org, of all processes."""

    def __init__(self, read: RunTransaction, write: RunTransaction) -> None:
        self._read, self._write = read, write

    def add(self, numbers: Mapping[ApiUse, int]) -> None:
        """Add numbers of this hour, and delete those of last week."""
        self._write(lambda tx: add(tx, numbers))

    def last_day(self) -> tuple[ApiCallCount, ...]:
        """Return the numbers of requests in the last 24 hours, the largest first."""
        return self._read(last_day)

    def number(self) -> int:
        """Return how many requests were made in the last 24 hours."""
        return self._read(number)


def add(tx: Transaction, numbers: Mapping[ApiUse, int]) -> None:
    """Add numbers to the stored ones of this hour, in a fixed order to avoid deadlocks."""
    hour = _hour(tx)
    tx.db.execute(API_CALLS.delete().where(API_CALLS.c.hour < hour - int(KEPT.total_seconds())))
    insert = tx.database.insert(API_CALLS)
    total = API_CALLS.c.number + insert.excluded.number
    upsert = insert.on_conflict_do_update(index_elements=[column.name for column in _KEY], set_={"number": total})
    tx.db.execute(upsert, [{"hour": hour, **use._asdict(), "number": count} for use, count in sorted(numbers.items())])


def last_day(tx: Transaction) -> tuple[ApiCallCount, ...]:
    """Return the numbers of requests in the last 24 hours, the largest first."""
    columns = _KEY[1:]
    total = sa.func.sum(API_CALLS.c.number).label("total")
    rows = tx.db.execute(sa.select(*columns, total).where(_is_recent(tx)).group_by(*columns))
    counts = [ApiCallCount(ApiUse(cast("str", row[0]), row[1], row[2]), int(row[3])) for row in rows]  # type: ignore[arg-type]
    return tuple(sorted(counts, key=lambda count: (-count.number, count.use)))


def number(tx: Transaction) -> int:
    """Return how many requests were made in the last 24 hours."""
    return int(tx.db.scalar(sa.select(sa.func.sum(API_CALLS.c.number)).where(_is_recent(tx))) or 0)


def _is_recent(tx: Transaction) -> sa.ColumnElement[bool]:
    return API_CALLS.c.hour > _hour(tx) - WINDOW * HOUR


def _hour(tx: Transaction) -> int:
    now = int(tx.now.timestamp())
    return now - now % HOUR
