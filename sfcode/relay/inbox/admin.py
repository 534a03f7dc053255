"""Administer the inbox: count, list, replay, purge and repair rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa

from sfcode.relay.inbox.accept import Key, accept, open_lanes
from sfcode.relay.inbox.counts import read_counts
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.search import SOURCES, Place, finished_after
from sfcode.relay.inbox.tables import INBOX, LANES, state_of
from sfcode.relay.inbox.types import BLOCKED, Filter, InboxStats, State
from sfcode.relay.message import InboxMessage, Source

OPEN: tuple[State, ...] = ("ready", "leased")
LONGEST_WAIT = timedelta(days=2)
"""No retry and no lease puts a message off for so long."""


MOST_WAITING = 10_000
"""So many keys that wait are counted: an outage makes a million of them."""


def stats(tx: Transaction) -> InboxStats:
    """Read the counters, the ages of the oldest messages, and the numbers of waiting keys."""
    counts = {(source, cast(State, state), reason): number for source, state, reason, number in read_counts(tx)}
    present = {(source, state) for source, state, _ in counts}
    oldest: dict[str, datetime] = {}
    lanes: dict[str, int] = {}
    for source in SOURCES:
        times = [_oldest(tx, source, state) for state in OPEN if (source, state) in present]
        if earliest := min(filter(None, times), default=None):
            oldest[source] = earliest
        blocked = sa.select(LANES.c.name).where(LANES.c.source == source, LANES.c.due_at > tx.now).limit(MOST_WAITING)
        if number := tx.db.scalar(sa.select(sa.func.count()).select_from(blocked.subquery())):
            lanes[source] = number
    received = {source: tx.to_wall(time) for source, time in oldest.items()}
    return InboxStats(tx.to_wall(tx.now), counts, received, lanes)


def _oldest(tx: Transaction, source: Source, state: State) -> datetime | None:
    """Return when the oldest row of a state was received."""
    rows = sa.select(INBOX.c.received_at).where(state_of(source, state))
    return tx.db.scalar(rows.order_by(INBOX.c.received_at, INBOX.c.id).limit(1))


def replay(tx: Transaction, choice: Filter, after: Place | None, limit: int) -> tuple[int, Place | None]:
    """Set up to `limit` finished rows after a place to ready; return how many, and the last one's place."""
    finished_rows = tx.db.execute(finished_after(choice, after, limit)).all()
    ids = [row.id for row in finished_rows]
    update = (
        INBOX.update()
        .where(within(INBOX.c.id, ids), INBOX.c.finished_at.is_not(None))
        .values(state="ready", reason="", detail="", attempts=0, due_at=tx.now, finished_at=None)
        .returning(INBOX.c.source, INBOX.c.key)
    )
    rows = tx.db.execute(update).all()
    open_lanes(tx, ((row.source, row.key) for row in rows))
    return len(rows), (finished_rows[-1].received_at, finished_rows[-1].id) if len(finished_rows) == limit else None


def replace(tx: Transaction, id_: int, messages: Sequence[InboxMessage]) -> int:
    """
    Replace a parked message or dead letter by the messages that were parsed from it again; return how many were new.

    Nothing is stored if the row was replayed or replaced in the meantime.
    """
    row = INBOX.delete().where(INBOX.c.id == id_, INBOX.c.state.in_(BLOCKED))
    return accept(tx, [messages])[0] if tx.db.execute(row).rowcount else 0


def purge(tx: Transaction, state: State, age: timedelta, limit: int) -> int:
    """Delete up to `limit` rows that finished longer ago than `age`."""
    before = tx.now - age
    old = sa.select(INBOX.c.id).where(
        INBOX.c.state == state,
        INBOX.c.source.in_(SOURCES),
        INBOX.c.finished_at.is_not(None),
        INBOX.c.finished_at <= before,
    )
    dropped = INBOX.delete().where(INBOX.c.id.in_(old.limit(limit)), INBOX.c.finished_at <= before)
    return tx.db.execute(dropped).rowcount


def find_keys_without_lane(tx: Transaction) -> list[Key]:
    """Return keys with open rows and without a lane: of rows that were set to ready by hand, in SQL."""
    request = sa.select(INBOX.c.source, INBOX.c.key).where(INBOX.c.finished_at.is_(None))
    query = sa.except_(request, sa.select(LANES.c.source, LANES.c.key))  # a set operation: there may be a million rows
    return [(row.source, row.key) for row in tx.db.execute(query)]


def make_due(tx: Transaction) -> None:
    """Make messages due that are postponed for longer than any retry: by hand, or by an older version while the clock was ahead."""
    beyond = tx.now + LONGEST_WAIT
    late = LANES.c.source.in_(SOURCES) & (LANES.c.due_at > beyond)
    if tx.db.execute(LANES.update().where(late).values(due_at=tx.now)).rowcount:
        rows = INBOX.update().where(INBOX.c.finished_at.is_(None), INBOX.c.due_at > beyond)
        tx.db.execute(rows.values(due_at=tx.now))
