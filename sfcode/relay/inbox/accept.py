"""Store new messages, and open a lane for each key with messages to deliver."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sfcode.relay.inbox.database_url import is_locked
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.history import begin
from sfcode.relay.inbox.insert import MessageRow, insert_lanes, insert_new
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.records import add_records
from sfcode.relay.inbox.tables import LANES, lane
from sfcode.relay.message import InboxMessage

LONGEST = 1_000
"""The maximum size of a message ID or a key in bytes: an index entry of PostgreSQL has at most about 2,700 bytes."""


AT_ONCE = 1_000
"""The maximum number of rows of one query."""

Key = tuple[str, str]
"""Source and key."""


def accept(
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], after: timedelta = timedelta()
) -> tuple[int, ...]:
    """Store the new messages of each group, due `after` a time span; return how many were new, by group."""
    due = tx.now + after
    with_lanes = tx.database.writes_two_tables
    counts, keys = _store(tx, groups, due, with_lanes=with_lanes)
    if not with_lanes:
        open_lanes(tx, keys, due)
    return counts


def is_one_statement(groups: Sequence[Sequence[InboxMessage]]) -> bool:
    """Return whether `accept` can store messages with one statement: none of them refers to a record."""
    return not any(message.record_id for group in groups for message in group)


def accept_around_locks(
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], locked_before: Collection[Key] = ()
) -> tuple[tuple[int, ...], set[Key]]:
    """
    Store like `accept`, but leave out lanes that another transaction has locked, and return their keys.

    The transaction with the lock may close the lane, so the lane must be opened again after the lock is released. Lanes
    of `locked_before` were locked a moment ago and are not waited for again.
    """
    counts, keys = _store(tx, groups, tx.now)
    names = {lane(*key): key for key in keys if key not in locked_before}
    lanes = sa.select(LANES.c.name).where(within(LANES.c.name, names))
    existing = set(tx.db.scalars(lanes))
    # These lanes are locked until the commit, so that no other transaction closes them.
    free = set(tx.db.scalars(tx.database.for_update_skip_locked(lanes)))
    locked = keys & set(locked_before) | {names[name] for name in existing - free}
    # A lane that another transaction has just inserted is not visible yet; inserting it waits for that transaction.
    return counts, locked | _open_new_lanes(tx, [names[name] for name in sorted(names.keys() - existing)])


def _open_new_lanes(tx: Transaction, keys: Sequence[Key]) -> set[Key]:
    """Insert lanes, one by one if any is locked; return the keys of the locked ones."""
    try:
        with tx.db.begin_nested():
            open_lanes(tx, keys)
    except sa.exc.DBAPIError as error:
        if not is_locked(error):
            raise
    else:
        return set()
    if len(keys) == 1:
        return set(keys)
    half = len(keys) // 2
    return _open_new_lanes(tx, keys[:half]) | _open_new_lanes(tx, keys[half:])


def _store(
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], due: datetime, *, with_lanes: bool = False
) -> tuple[tuple[int, ...], set[Key]]:
    """
    Insert the new messages; return their number by group, and the keys of the open ones.

    With `with_lanes`, the same statement opens their lanes if the database supports it.
    """
    rows = [(number, message, _row(message)) for number, group in enumerate(groups) for message in group]
    if not rows:
        return (0,) * len(groups), set()
    has_records = any(message.record_id for _, message, _ in rows)
    new = insert_new(tx, [row for _, _, row in rows], due, with_lanes=with_lanes, with_ids=has_records)
    counts = [0] * len(groups)
    keys: set[Key] = set()
    records: list[tuple[int, str]] = []
    for number, message, row in rows:
        id_ = 0 if new is None else new.pop((row.source, row.message_id), None)
        if id_ is None:
            continue
        counts[number] += 1
        if not row.reason:
            keys.add((row.source, row.key))
        if message.record_id:
            records.append((id_, _short(message.record_id)))
    add_records(tx, records)
    return tuple(counts), keys


def open_lanes(tx: Transaction, keys: Iterable[Key], due: datetime | None = None) -> None:
    """Insert the missing lanes of keys; a process that is about to close one of them will see the new rows."""
    # All transactions lock lanes in this order, to avoid deadlocks.
    lanes = sorted({(lane(source, key), source, key) for source, key in keys})
    if lanes:
        insert_lanes(tx, lanes, due or tx.now)


def _row(message: InboxMessage) -> MessageRow:
    return MessageRow(
        message.source,
        _short(message.message_id),
        _short(message.key),
        subject(message.key, message.payload),
        message.kind,
        message.payload,
        message.parked,
        begin(message),
    )


def subject(key: str, payload: Mapping[str, Any]) -> str:
    """Return the subject by which a message is searched: `user:ID` if the message has a user ID, else its key."""
    user_id = payload.get("user_id")
    return _short(f"user:{user_id}" if isinstance(user_id, str) and user_id else key)


def _short(name: str) -> str:
    if len(name) <= LONGEST // 4:  # UTF-8 has at most 4 bytes per character
        return name
    data = name.encode("utf-8", "surrogatepass")
    if len(data) <= LONGEST:
        return name
    return f"{name[:100]}...sha256:{hashlib.sha256(data).hexdigest()}"
