"""Claim messages: lanes whose oldest message is due, and the messages at their heads."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from sfcode.lazy_dataclasses import replace
from sfcode.relay.inbox.column_types import Unreadable
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import INBOX, LANES, age, open_rows
from sfcode.relay.inbox.types import Unavailable
from sfcode.relay.message import Claim, ClaimedMessage, Parked, Settlement, Source

COLUMNS = ("id", "source", "message_id", "key", "kind", "payload", "attempts", "history", "received_at")
"""The columns of a claimed row."""
_RAW = [
    sa.type_coerce(column, sa.Text).label(column.name) if isinstance(column.type, sa.TypeDecorator) else column
    for column in (INBOX.c[name] for name in COLUMNS)
]
"""The same columns, whose values are not parsed by their column types."""
_READERS = [
    column.type.process_result_value if isinstance(column.type, sa.TypeDecorator) else None
    for column in (INBOX.c[name] for name in COLUMNS)
]
LEAST_DEPTH = 20
"""The number of messages of one key that may always be read; a claim with few keys reads more of each."""
UNREADABLE = "unreadable"
"""The reason of messages whose rows are damaged."""


class ClaimRequest(NamedTuple):
    """The limits of a claim."""

    source: Source
    limit: int
    per_key: int
    keys: int
    lease: float
    """Seconds of the lease, by the database's clock."""
    deadline: float
    """
    The end of the lease by the monotonic clock of this process.

    This clock is read before that of the database, so that the deadline is never later than the end of the lease.
    """


class LaneRow(NamedTuple):
    """A row's rank in its lane: 0 is the oldest."""

    rank: int
    key: str
    id: int
    due_at: datetime


class ClaimedRows(NamedTuple):
    """
    The rows of a claim, with the values as the database driver returns them.

    They are parsed after the transaction, since 600 payloads take a while, and on SQLite the transaction blocks all writers.
    """

    tx: Transaction
    """The transaction of the claim, which has ended; it converts times."""
    request: ClaimRequest
    token: str
    rows: Iterable[Sequence[Any]]

    def read(self) -> Claim:
        """Return the claim with its messages in order of arrival."""
        messages = (self._read_message(row) for row in sorted(self.rows, key=lambda row: row[0]))
        return Claim(self.token, self.request.deadline, tuple(messages), self.request.lease)

    def _read_message(self, row: Sequence[Any]) -> ClaimedMessage:
        dialect = self.tx.db.dialect
        values: list[Any] = [
            value if read is None else _unlock(read, value, dialect) for read, value in zip(_READERS, row, strict=True)
        ]
        received_at: datetime = values.pop()
        history: str = values.pop()
        values += [self.tx.to_wall(received_at), max(self.tx.now - received_at, timedelta()), history]
        return ClaimedMessage(*values)


def claim(tx: Transaction, request: ClaimRequest) -> ClaimedRows | None:
    """
    Claim messages within the limits: the oldest of each key, then younger ones while there is room.

    The lanes are locked and postponed to the end of the lease, so that no other process can claim the same keys.
    """
    due = (LANES.c.source == request.source) & (LANES.c.due_at <= tx.now)
    lanes = sa.select(LANES.c.name).where(due).order_by(LANES.c.due_at).limit(min(request.keys, request.limit))
    names = [name for (name,) in tx.fetch(tx.database.for_update_skip_locked(lanes))]
    if not names:
        return None
    ids = _heads(tx, names)
    _close_empty(tx, set(names) - set(ids))
    # Bounds the number of rows to read, which would otherwise be the number of keys times the limit.
    depth = min(request.per_key, request.limit - len(ids) + 1, max(LEAST_DEPTH, request.limit // max(len(ids), 1) + 1))
    row_ids = (
        choose(_places(tx, request.source, ids.values(), depth), tx.now, request.limit)
        if depth > 1
        else list(ids.values())
    )
    if not row_ids:
        return None
    until, token = tx.now + timedelta(seconds=request.lease), uuid.uuid4().hex
    put_off(tx, names, until)
    is_chosen = within(INBOX.c.id, row_ids)
    lease = INBOX.update().where(is_chosen).values(state="leased", lease_until=until, lease_token=token)
    return ClaimedRows(tx, request, token, tx.database.update(tx.db, lease, sa.select(*_RAW).where(is_chosen)))


class Undecrypted(str):
    """The value of a column that is encrypted with a key that this process does not have."""

    __slots__ = ()


def _unlock(read: Callable[[Any, sa.Dialect], Any], value: Any, dialect: sa.Dialect) -> Any:
    try:
        return read(value, dialect)
    except Unavailable:
        return Undecrypted()


def split_locked(claim: Claim) -> tuple[Claim | None, Claim | None]:
    """
    Split a claim into the messages that this process can decrypt and the others; None for a part without messages.

    Messages of one key stay together, so that their order is kept. This process releases the other messages, and a process
    with the encryption key delivers them.
    """
    locked_keys = {
        message.key for message in claim.messages if Undecrypted in (type(message.payload), type(message.history))
    }
    if not locked_keys:
        return claim, None
    parts = (
        tuple(message for message in claim.messages if (message.key in locked_keys) is is_locked)
        for is_locked in (False, True)
    )
    open_part, locked_part = (replace(claim, messages=part) if part else None for part in parts)
    return open_part, locked_part


def unreadable(claim: Claim) -> dict[int, Settlement]:
    """Return settlements that park the messages with damaged rows."""
    end = Parked(UNREADABLE, "the row of the database is damaged")
    return {message.id: end for message in claim.messages if not _is_readable(message)}


def _is_readable(message: ClaimedMessage) -> bool:
    return not isinstance(message.payload, Unreadable) and isinstance(message.attempts, int)


def choose(places: Iterable[LaneRow], now: datetime, limit: int) -> list[int]:
    """
    Choose rows by rank, the heads of all lanes first.

    The head of a due lane is due. A younger row that is not due ends the selection in its lane, since later rows must not
    overtake it.
    """
    ended: set[str] = set()
    row_ids: list[int] = []
    for place in sorted(places, key=lambda place: place.rank):
        if place.rank and place.due_at > now:
            ended.add(place.key)
        if place.key not in ended:
            row_ids.append(place.id)
    return row_ids[:limit]


def put_off(tx: Transaction, names: Sequence[str], until: datetime) -> None:
    """Postpone lanes until a time, so that no process claims from them before it."""
    tx.db.execute(LANES.update().where(within(LANES.c.name, names)).values(due_at=until))


def _heads(tx: Transaction, names: Sequence[str]) -> dict[str, int]:
    """Return the oldest open row of each lane."""
    eldest = _eldest(LANES.c.source, LANES.c.key, sa.literal(0))
    rows = tx.fetch(sa.select(LANES.c.name, eldest.label("eldest")).where(within(LANES.c.name, names)))
    return {name: id for name, id in rows if id is not None}


def _places(tx: Transaction, source: Source, heads: Collection[int], depth: int) -> Iterable[LaneRow]:
    """Return the oldest `depth` open rows of each lane, each by one index lookup."""
    first = sa.select(INBOX.c.key, INBOX.c.id, sa.literal(0).label("rank")).where(within(INBOX.c.id, heads))
    chain = first.cte("chain", recursive=True)
    younger = _eldest(sa.literal(source), chain.c.key, chain.c.id)
    chain = chain.union_all(
        sa.select(chain.c.key, younger, chain.c.rank + 1).where(chain.c.id.is_not(None), chain.c.rank + 1 < depth)
    )
    ranks = {id: rank for id, rank in tx.fetch(sa.select(chain.c.id, chain.c.rank)) if id is not None}
    rows = tx.fetch(sa.select(INBOX.c.key, INBOX.c.id, INBOX.c.due_at).where(within(INBOX.c.id, ranks)))
    return [LaneRow(ranks[id], key, id, due_at) for key, id, due_at in rows]


def _eldest(
    source: sa.ColumnElement[str], key: sa.ColumnElement[str], after: sa.ColumnElement[int]
) -> sa.ScalarSelect[int]:
    """Return the query for the oldest open row of a key after a given row."""
    rows = INBOX.alias()
    return sa.select(sa.func.min(age(rows))).where(open_rows(rows, source, key), age(rows) > after).scalar_subquery()


def _close_empty(tx: Transaction, names: Collection[str]) -> None:
    """Close lanes without open rows, which remain when rows are deleted with SQL."""
    if names:
        tx.db.execute(LANES.delete().where(within(LANES.c.name, names)))
