"""Administer the inbox: count, replay, discard, purge and repair rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa

from sfcode.relay.inbox import search
from sfcode.relay.inbox.accept import Key, accept, open_lanes
from sfcode.relay.inbox.categories import SOURCES
from sfcode.relay.inbox.counts import read_counts
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.history import render_act
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.settle import reopen_idle
from sfcode.relay.inbox.tables import INBOX, LANES, lane
from sfcode.relay.inbox.types import BLOCKED, ChangeAction, Filter, InboxStats, State
from sfcode.relay.inbox.walk import Place, Walk
from sfcode.relay.message import InboxMessage

OPEN: tuple[State, ...] = ("ready", "leased")
DISCARDABLE: tuple[State, ...] = (*BLOCKED, "ready")
DISCARDED = "discarded"
"""The reason of messages that a person discarded."""
LONGEST_WAIT = timedelta(days=2)
"""A time span that is longer than the wait of any retry and the length of any lease."""


MOST_WAITING = 10_000
"""The number up to which waiting keys are counted, since an outage may leave a million of them."""


class ChangeStep(NamedTuple):
    """The result of one step of a change of many rows."""

    number: int
    """The number of changed rows."""
    last: Place | None
    """The place of the last row; None after the last step."""


def stats(tx: Transaction) -> InboxStats:
    """Return the counters, the ages of the oldest messages, and the numbers of waiting keys."""
    counts = {(source, cast(State, state), reason): number for source, state, reason, number in read_counts(tx)}
    present = {(source, state) for source, state, _ in counts}
    oldest: dict[str, datetime] = {}
    oldest_blocked: dict[str, datetime] = {}
    lanes: dict[str, int] = {}
    for source in SOURCES:
        for group, ages in ((OPEN, oldest), (BLOCKED, oldest_blocked)):
            choices = [Filter(source=source, state=state) for state in group if (source, state) in present]
            entries = filter(None, (search.find_oldest(tx, choice) for choice in choices))
            if earliest := min((entry.received_at for entry in entries), default=None):
                ages[source] = earliest
        blocked = sa.select(LANES.c.name).where(LANES.c.source == source, LANES.c.due_at > tx.now).limit(MOST_WAITING)
        if number := tx.db.scalar(sa.select(sa.func.count()).select_from(blocked.subquery())):
            lanes[source] = number
    return InboxStats(tx.to_wall(tx.now), counts, oldest, lanes, oldest_blocked)


def replay(tx: Transaction, walk: Walk, after: Place | None, limit: int, who: str) -> ChangeStep:
    """Set up to `limit` finished rows after a position to ready."""
    rows, last = search.rows_behind(tx, walk, after, limit)
    update = (
        INBOX.update()
        .where(within(INBOX.c.id, [row.id for row in rows]), INBOX.c.finished_at.is_not(None))
        .values(state="ready", reason="", detail="", attempts=0, due_at=tx.now, finished_at=None)
        .values(history=INBOX.c.history + render_act("replayed", tx.now, who))
        .returning(INBOX.c.source, INBOX.c.key)
    )
    ready = tx.db.execute(update).all()
    open_lanes(tx, ((row.source, row.key) for row in ready))
    return ChangeStep(len(ready), last)


def hasten(tx: Transaction, walk: Walk, after: Place | None, limit: int, who: str) -> ChangeStep:
    """Make rows due that wait for their next attempt: up to `limit` rows after a position."""
    rows, last = search.rows_behind(tx, walk, after, limit)
    # Their lanes are locked first, like in a claim, in the order that all transactions use.
    open_lanes(tx, {(row.source, row.key) for row in rows})
    ready = (
        INBOX.update()
        .where(within(INBOX.c.id, [row.id for row in rows]), INBOX.c.state == "ready")
        .values(due_at=tx.now, history=INBOX.c.history + render_act("replayed", tx.now, who))
    )
    count = tx.db.execute(ready).rowcount
    reopen_idle(tx, {lane(row.source, row.key) for row in rows})
    return ChangeStep(count, last)


def discard(tx: Transaction, walk: Walk, after: Place | None, limit: int, who: str) -> ChangeStep:
    """Set up to `limit` rows after a position to done without delivering them; rows of a claim are left out."""
    rows, last = search.rows_behind(tx, walk, after, limit)
    lanes = sorted({lane(row.source, row.key) for row in rows})
    tx.db.execute(
        tx.database.for_update(sa.select(LANES.c.name).where(within(LANES.c.name, lanes)).order_by(LANES.c.name))
    ).all()
    done = (
        INBOX.update()
        .where(within(INBOX.c.id, [row.id for row in rows]), INBOX.c.state.in_(DISCARDABLE))
        .values(state="done", reason=DISCARDED, detail="", finished_at=tx.now)
        .values(history=INBOX.c.history + render_act("discarded", tx.now, who))
    )
    count = tx.db.execute(done).rowcount
    reopen_idle(tx, lanes)
    return ChangeStep(count, last)


RunStep = Callable[[Transaction, Walk, "Place | None", int, str], ChangeStep]
"""Changes the next rows of a walk, given the position, the maximum number of rows, and the person."""


def select_step(action: ChangeAction, choice: Filter) -> RunStep:
    """Return the function that runs the steps of a bulk change."""
    if action == "discard":
        return discard
    return hasten if choice.state == "ready" else replay


def replace(tx: Transaction, id_: int, messages: Sequence[InboxMessage]) -> int:
    """
    Replace a parked message or dead letter by the messages parsed from its body; return how many were new.

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
    """Return keys with open rows and without a lane, such as those of rows that were set to ready with SQL."""
    request = sa.select(INBOX.c.source, INBOX.c.key).where(INBOX.c.finished_at.is_(None))
    query = sa.except_(request, sa.select(LANES.c.source, LANES.c.key))  # there may be a million rows
    return [(row.source, row.key) for row in tx.db.execute(query)]


def make_due(tx: Transaction) -> None:
    """Make messages due that are postponed for longer than any retry, by SQL or by a wrong clock."""
    beyond = tx.now + LONGEST_WAIT
    late = LANES.c.source.in_(SOURCES) & (LANES.c.due_at > beyond)
    if tx.db.execute(LANES.update().where(late).values(due_at=tx.now)).rowcount:
        rows = INBOX.update().where(INBOX.c.finished_at.is_(None), INBOX.c.due_at > beyond)
        tx.db.execute(rows.values(due_at=tx.now))
