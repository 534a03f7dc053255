"""The activity of all processes as rows: by minute for a day, then by hour for a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa

from sfcode.relay.activity import PEAKS, ActivityKey, Figure
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import ACTIVITY

HOUR = 3600
MINUTES_KEPT = timedelta(hours=26)
"""The time for which minutes are kept: longer than the day that is shown by minute, since only whole hours are
summed."""
KEPT = timedelta(days=8)
"""The time for which hours are kept: longer than the week that is shown."""

_KEY = (ACTIVITY.c.begins, ACTIVITY.c.source, ACTIVITY.c.figure, ACTIVITY.c.bound)
_IS_PEAK = sa.or_(*(ACTIVITY.c.figure == figure for figure in sorted(PEAKS)))


class ActivitySpan(NamedTuple):
    """The value of one figure in one time span."""

    slot: int
    """The Unix time of the span's first second, divided by its length."""
    source: str
    figure: Figure
    bound: int
    number: int


class ActivityLog:
    """The stored activity of all processes."""

    def __init__(
        self,
        read: Callable[[Callable[[Transaction], list[ActivitySpan]]], list[ActivitySpan]],
        write: Callable[[Callable[[Transaction], None]], None],
    ) -> None:
        self._read = read
        self._write = write

    def add(self, numbers: Mapping[ActivityKey, int]) -> None:
        """Add numbers to the stored ones; for a peak, keep the larger value."""
        self._write(lambda tx: add(tx, numbers))

    def spans(self, since: int, seconds: int) -> list[ActivitySpan]:
        """Return the activity from a Unix time on, summed over spans of `seconds`."""
        return self._read(lambda tx: spans(tx, since, seconds))

    def compact(self, now: int) -> None:
        """Sum the minutes of older hours, and delete activity older than a week; `now` is a Unix time."""
        self._write(lambda tx: compact(tx, now))


def add(tx: Transaction, numbers: Mapping[ActivityKey, int]) -> None:
    """Add numbers to the stored ones, in a fixed order to avoid deadlocks."""
    rows = [{**key._asdict(), "number": number} for key, number in sorted(numbers.items())]
    tx.db.execute(_upsert(tx), rows)


def spans(tx: Transaction, since: int, seconds: int) -> list[ActivitySpan]:
    """Return the activity from a Unix time on, summed over spans of `seconds`."""
    slot = (ACTIVITY.c.begins // seconds).label("slot")
    columns = (slot, ACTIVITY.c.source, ACTIVITY.c.figure, ACTIVITY.c.bound)
    rows = tx.db.execute(sa.select(*columns, _total()).where(ACTIVITY.c.begins >= since).group_by(*columns))
    return [ActivitySpan(row[0], row[1], cast("Figure", row[2]), row[3], int(row[4])) for row in rows]


def compact(tx: Transaction, now: int) -> None:
    """Sum the minutes of older hours in the first minute of their hour, and delete activity older than a week."""
    tx.db.execute(ACTIVITY.delete().where(ACTIVITY.c.begins < now - int(KEPT.total_seconds())))
    limit = now - int(MINUTES_KEPT.total_seconds())
    minutes = (ACTIVITY.c.begins < limit - limit % HOUR) & (ACTIVITY.c.begins % HOUR != 0)
    # One statement deletes and returns the rows, so that only one of two processes gets them.
    rows = tx.db.execute(ACTIVITY.delete().where(minutes).returning(*_KEY, ACTIVITY.c.number)).all()
    totals: Counter[ActivityKey] = Counter()
    for begins, source, figure, bound, number in rows:
        key = ActivityKey(begins - begins % HOUR, source, figure, bound)
        totals[key] = max(totals[key], number) if figure in PEAKS else totals[key] + number
    if totals:
        add(tx, totals)


def _total() -> sa.Label[int]:
    return sa.case((_IS_PEAK, sa.func.max(ACTIVITY.c.number)), else_=sa.func.sum(ACTIVITY.c.number)).label("number")


def _upsert(tx: Transaction) -> sa.Insert:
    insert = tx.database.insert(ACTIVITY)
    stored, new = ACTIVITY.c.number, insert.excluded.number
    larger = sa.case((new > stored, new), else_=stored)
    number = sa.case((_IS_PEAK, larger), else_=stored + new)
    return insert.on_conflict_do_update(index_elements=[column.name for column in _KEY], set_={"number": number})
