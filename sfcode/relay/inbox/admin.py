"""Administer the inbox: count, list, replay, purge and repair rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from sfcode.relay.inbox.accept import accept, open_lanes
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX, LANES
from sfcode.relay.inbox.types import Filter, InboxEntry, InboxStats, State
from sfcode.relay.message import InboxMessage, Source

SOURCES: tuple[Source, ...] = get_args(Source)

REPLAYED: tuple[State, ...] = ("parked", "dead")
"""The states that a replay includes by default: not the delivered ones."""

LONGEST_WAIT = timedelta(days=2)
"""No retry and no lease puts a message off for so long."""


def stats(tx: Transaction) -> InboxStats:
    """Count the rows by source, state and reason."""
    number, open_, finished = sa.func.count(), INBOX.c.finished_at.is_(None), INBOX.c.finished_at.is_not(None)
    counts: dict[tuple[str, State], int] = {}
    oldest: dict[str, datetime] = {}
    waiting = sa.select(INBOX.c.source, INBOX.c.state, number, sa.func.min(INBOX.c.received_at)).where(open_)
    for source, state, count, received in tx.db.execute(waiting.group_by(INBOX.c.source, INBOX.c.state)):
        counts[source, state] = count
        oldest[source] = min(received, oldest.get(source, received))
    over = sa.select(INBOX.c.source, INBOX.c.state, number).where(finished).group_by(INBOX.c.state, INBOX.c.source)
    for source, state, count in tx.db.execute(over):
        counts[source, state] = count
    stuck = sa.select(INBOX.c.source, INBOX.c.state, INBOX.c.reason, number).where(
        finished, INBOX.c.state.in_(REPLAYED)
    )
    grouped = tx.db.execute(stuck.group_by(INBOX.c.source, INBOX.c.state, INBOX.c.reason))
    reasons = {(source, state, reason): count for source, state, reason, count in grouped}
    blocked = sa.select(LANES.c.source, number.label("number")).where(LANES.c.due_at > tx.now).group_by(LANES.c.source)
    lanes: dict[str, int] = {row.source: row.number for row in tx.db.execute(blocked)}
    return InboxStats(tx.now, counts, reasons, oldest, lanes)


def page(tx: Transaction, choice: Filter, limit: int, before: int | None) -> tuple[InboxEntry, ...]:
    """Return rows, the newest first; `before` is the last id of the previous page."""
    columns = (INBOX.c[name] for name in InboxEntry.__slots__)
    rows = sa.select(*columns).where(*conditions(choice)).order_by(INBOX.c.id.desc()).limit(limit)
    if before is not None:
        rows = rows.where(INBOX.c.id < before)
    return tuple(InboxEntry(*row) for row in tx.db.execute(rows))


def replay(tx: Transaction, choice: Filter, after: int, limit: int) -> tuple[int, int]:
    """Set up to `limit` finished rows with an id beyond `after` to ready; return how many, and the last id."""
    chosen = sa.select(INBOX.c.id).where(*conditions(choice), INBOX.c.finished_at.is_not(None), INBOX.c.id > after)
    if choice.state is None:
        chosen = chosen.where(INBOX.c.state.in_(REPLAYED))
    again = (
        INBOX.update()
        .where(INBOX.c.id.in_(chosen.order_by(INBOX.c.id).limit(limit)), INBOX.c.finished_at.is_not(None))
        .values(state="ready", reason="", detail="", attempts=0, due_at=tx.now, finished_at=None)
        .returning(INBOX.c.id, INBOX.c.source, INBOX.c.key)
    )
    rows = tx.db.execute(again).all()
    open_lanes(tx, ((row.source, row.key) for row in rows))
    return len(rows), max((row.id for row in rows), default=after)


def replace(tx: Transaction, id_: int, messages: Sequence[InboxMessage]) -> int:
    """
    Delete a parked or given-up row and store the messages that were read from it anew; return how many were new.

    Nothing is stored where somebody else has replayed or replaced the row meanwhile.
    """
    row = INBOX.delete().where(INBOX.c.id == id_, INBOX.c.state.in_(REPLAYED))
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


def mend(tx: Transaction) -> int:
    """
    Open a lane for each key that has open rows and none: rows that somebody set ready by hand, in SQL.

    What is put off for longer than anybody asks was put off while the clock was ahead: it is due now.
    """
    beyond = tx.now + LONGEST_WAIT
    if tx.db.execute(LANES.update().where(LANES.c.due_at > beyond).values(due_at=tx.now)).rowcount:
        rows = INBOX.update().where(INBOX.c.finished_at.is_(None), INBOX.c.due_at > beyond)
        tx.db.execute(rows.values(due_at=tx.now))
    request = sa.select(INBOX.c.source, INBOX.c.key).where(INBOX.c.finished_at.is_(None))
    lost = sa.except_(request, sa.select(LANES.c.source, LANES.c.key))  # a set operation: there may be a million rows
    keys = [(row.source, row.key) for row in tx.db.execute(lost)]
    open_lanes(tx, keys)
    return len(keys)


def conditions(choice: Filter) -> Sequence[sa.ColumnElement[bool]]:
    """Translate a filter to SQL conditions."""
    equal = {name: getattr(choice, name) for name in ("state", "reason", "source", "kind", "key")}
    found: list[sa.ColumnElement[bool]] = [INBOX.c[name] == value for name, value in equal.items() if value is not None]
    if choice.ids is not None:
        found.append(INBOX.c.id.in_(choice.ids))
    if choice.since is not None:
        found.append(INBOX.c.received_at >= choice.since)
    if choice.until is not None:
        found.append(INBOX.c.received_at < choice.until)
    return found
