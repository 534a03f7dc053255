"""Hand out work: lanes whose eldest message is due, and the messages at their heads."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa

from sfcode.relay.inbox.dialects import Tx
from sfcode.relay.inbox.tables import INBOX, LANES
from sfcode.relay.message import Claim, Claimed, Source


class Wanted(NamedTuple):
    """What a worker asks for."""

    source: Source
    limit: int
    per_key: int
    lease: float
    """Seconds, from now on the database's clock."""
    deadline: float
    """The same on this process's monotonic clock, read before the database's: rather early than late."""


class Place(NamedTuple):
    """A row's place in its lane: 0 is the eldest."""

    rank: int
    key: str
    id: int
    due_at: datetime


def claim(tx: Tx, wanted: Wanted) -> Claim | None:
    """
    Take as many messages as are wanted: of each key the eldest, longest due first, then younger ones while there is room.

    The lanes are locked and put off to the end of the lease, so that nobody else takes from the same keys.
    """
    due = (LANES.c.source == wanted.source) & (LANES.c.due_at <= tx.now)
    keys = tx.db.scalars(
        tx.database.free(sa.select(LANES.c.key).where(due).order_by(LANES.c.due_at).limit(wanted.limit))
    ).all()
    if not keys:
        return None
    places = list(_places(tx, wanted.source, keys, min(wanted.per_key, wanted.limit - len(keys) + 1)))
    _close_empty(tx, wanted.source, set(keys) - {place.key for place in places})
    chosen = choose(places, tx.now, wanted.limit)
    if not chosen:
        return None
    until, token = tx.now + timedelta(seconds=wanted.lease), uuid.uuid4().hex
    put_off(tx, wanted.source, keys, until)
    leased = (
        INBOX.update()
        .where(INBOX.c.id.in_(chosen))
        .values(state="leased", lease_until=until, lease_token=token)
        .returning(*(INBOX.c[name] for name in Claimed.__slots__))
    )
    rows = sorted(tx.db.execute(leased).all(), key=lambda row: cast(int, row.id))
    return Claim(token, wanted.deadline, tuple(Claimed(*row) for row in rows))


def choose(places: Iterable[Place], now: datetime, limit: int) -> list[int]:
    """
    Choose rows wave by wave, the heads of all lanes first.

    A row that is not due yet ends its lane: what is behind it must not overtake.
    """
    ended: set[str] = set()
    chosen: list[int] = []
    for place in sorted(places, key=lambda place: place.rank):
        if place.due_at > now:
            ended.add(place.key)
        if place.key not in ended:
            chosen.append(place.id)
    return chosen[:limit]


def put_off(tx: Tx, source: Source, keys: Sequence[str], until: datetime) -> None:
    """Keep everybody out of some lanes until then."""
    tx.db.execute(LANES.update().where(LANES.c.source == source, LANES.c.key.in_(keys)).values(due_at=until))


def _places(tx: Tx, source: str, keys: Sequence[str], depth: int) -> Iterable[Place]:
    """Find the eldest `depth` open rows of each lane, each by one look into the index, however long the lane is."""

    def eldest(key: sa.ColumnElement[str], after: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
        younger = (INBOX.c.source == source) & (INBOX.c.key == key) & (INBOX.c.id > after)
        return sa.select(sa.func.min(INBOX.c.id)).where(younger, INBOX.c.finished_at.is_(None)).scalar_subquery()

    lanes = (LANES.c.source == source) & LANES.c.key.in_(keys)
    first = sa.select(LANES.c.key, eldest(LANES.c.key, sa.literal(0)).label("id"), sa.literal(0).label("rank")).where(
        lanes
    )
    chain = first.cte("chain", recursive=True)
    chain = chain.union_all(
        sa.select(chain.c.key, eldest(chain.c.key, chain.c.id), chain.c.rank + 1).where(
            chain.c.id.is_not(None), chain.c.rank + 1 < depth
        )
    )
    found = sa.select(chain.c.rank, chain.c.key, INBOX.c.id, INBOX.c.due_at).join(INBOX, INBOX.c.id == chain.c.id)
    return itertools.starmap(Place, tx.db.execute(found).all())


def _close_empty(tx: Tx, source: str, keys: Iterable[str]) -> None:
    """Close lanes that have no open rows, which is what deleting rows by hand leaves."""
    empty = list(keys)
    if empty:
        tx.db.execute(LANES.delete().where(LANES.c.source == source, LANES.c.key.in_(empty)))
