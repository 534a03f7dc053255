"""Activity as rows, which all processes add to: by the minute for a day, then by the hour for a week."""

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
"""More than the day that is shown by the minute, since hours are added up whole."""
KEPT = timedelta(days=8)
"""More than the week that is shown, for the same reason."""

_KEY = (ACTIVITY.c.begins, ACTIVITY.c.source, ACTIVITY.c.figure, ACTIVITY.c.bound)
_IS_PEAK = sa.or_(*(ACTIVITY.c.figure == figure for figure in sorted(PEAKS)))


class ActivitySpan(NamedTuple):
    """One number of one span of time."""

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
        """Add numbers; of a peak the larger one stays."""
        self._write(lambda tx: add(tx, numbers))

    def spans(self, since: int, seconds: int) -> list[ActivitySpan]:
        """Return the activity from a Unix time on, added up over spans of so many seconds."""
        return self._read(lambda tx: spans(tx, since, seconds))

    def compact(self, now: int) -> None:
        """Add up the minutes of hours long past, and delete what is older than a week; `now` is a Unix time."""
        self._write(lambda tx: compact(tx, now))


def add(tx: Transaction, numbers: Mapping[ActivityKey, int]) -> None:
    """Add numbers to the stored ones, in one order, to avoid deadlocks."""
    rows = [{**key._asdict(), "number": number} for key, number in sorted(numbers.items())]
    tx.db.execute(_upsert(tx), rows)


def spans(tx: Transaction, since: int, seconds: int) -> list[ActivitySpan]:
    """Return the activity from a Unix time on, added up over spans of so many seconds."""
    slot = (ACTIVITY.c.begins // seconds).label("slot")
    columns = (slot, ACTIVITY.c.source, ACTIVITY.c.figure, ACTIVITY.c.bound)
    rows = tx.db.execute(sa.select(*columns, _total()).where(ACTIVITY.c.begins >= since).group_by(*columns))
    return [ActivitySpan(row[0], row[1], cast("Figure", row[2]), row[3], int(row[4])) for row in rows]


def compact(tx: Transaction, now: int) -> None:
    """Move the minutes of hours long past into the first minute of their hour, and delete what is too old."""
    tx.db.execute(ACTIVITY.delete().where(ACTIVITY.c.begins < now - int(KEPT.total_seconds())))
    limit = now - int(MINUTES_KEPT.total_seconds())
    minutes = (ACTIVITY.c.begins < limit - limit % HOUR) & (ACTIVITY.c.begins % HOUR != 0)
    # Deleted and returned by one statement: of two processes that compact, one gets the rows.
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
