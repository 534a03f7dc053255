"""Store new messages, and open a lane for each key that has something to deliver."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sfcode.relay.inbox.database_url import is_locked
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX, LANES, lane
from sfcode.relay.message import InboxMessage

LONGEST = 1_000
"""Bytes of a message id or a key: an index of PostgreSQL takes no more than some 2,700 in all."""


AT_ONCE = 1_000
"""Rows that are read at once."""

Key = tuple[str, str]
"""Source and key."""


def accept(
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], after: timedelta = timedelta()
) -> tuple[int, ...]:
    """Store the new messages of each group, due `after` a while; return how many were new, by group."""
    counts, keys = _store(tx, groups, tx.now + after)
    open_lanes(tx, keys, tx.now + after)
    return counts


def accept_around_locks(
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], known: Collection[Key] = ()
) -> tuple[tuple[int, ...], set[Key]]:
    """
    Store like `accept`, but leave out lanes that another transaction has locked, and return their keys.

    A locked lane may be closed behind this transaction, so it has to be opened again once the lock is gone. Those of
    `known` keys were locked a moment ago: nobody waits for them again.
    """
    counts, keys = _store(tx, groups, tx.now)
    names = {lane(*key): key for key in keys if key not in known}
    existing = set(tx.db.scalars(sa.select(LANES.c.name).where(LANES.c.name.in_(names))))
    free = set(tx.db.scalars(tx.database.free(sa.select(LANES.c.name).where(LANES.c.name.in_(names)))))
    open_lanes(tx, (names[name] for name in free))
    locked = keys & set(known) | {names[name] for name in existing - free}
    # One that another transaction has just made cannot be seen yet; it holds up who makes it too.
    return counts, locked | _open_new_lanes(tx, [names[name] for name in sorted(names.keys() - existing)])


def _open_new_lanes(tx: Transaction, keys: Sequence[Key]) -> set[Key]:
    """Make lanes, each by itself where one is locked; return the keys of those that are."""
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
    tx: Transaction, groups: Sequence[Sequence[InboxMessage]], due: datetime
) -> tuple[tuple[int, ...], set[Key]]:
    """Insert the messages that are new; return how many those were by group, and the keys of the open ones."""
    rows = [(number, _row(message, tx.now, due)) for number, group in enumerate(groups) for message in group]
    if not rows:
        return (0,) * len(groups), set()
    insert = (
        tx.database.insert(INBOX)
        .on_conflict_do_nothing(index_elements=["source", "message_id"])
        .returning(INBOX.c.source, INBOX.c.message_id, INBOX.c.key, INBOX.c.finished_at)
    )
    fresh = tx.db.execute(insert, [row for _, row in rows]).all()
    new = {(row.source, row.message_id) for row in fresh}
    counts = [0] * len(groups)
    for number, row in rows:
        name = (row["source"], row["message_id"])
        if name in new:
            new.remove(name)
            counts[number] += 1
    return tuple(counts), {(row.source, row.key) for row in fresh if row.finished_at is None}


def open_lanes(tx: Transaction, keys: Iterable[Key], due: datetime | None = None) -> None:
    """Make sure that keys have lanes, and that a process about to close one of them looks again."""
    # Everybody locks lanes in this order, so that nobody waits in a circle.
    lanes = [
        {"name": name, "source": source, "key": key, "due_at": due or tx.now}
        for name, source, key in sorted({(lane(source, key), source, key) for source, key in keys})
    ]
    if lanes:
        # It writes nothing new where the lane is there, but has its lock: DO NOTHING would not, and the lane's
        # owner cannot see the rows of this transaction yet and could close it.
        insert = tx.database.insert(LANES)
        touch = insert.on_conflict_do_update(index_elements=["name"], set_={"due_at": LANES.c.due_at})
        tx.db.execute(touch, lanes)


def _row(message: InboxMessage, now: datetime, due: datetime) -> dict[str, object]:
    return {
        "source": message.source,
        "message_id": _short(message.message_id),
        "key": _short(message.key),
        "subject": subject(message.key, message.payload),
        "kind": message.kind,
        "payload": message.payload,
        "state": "parked" if message.parked else "ready",
        "reason": message.parked,
        "detail": "",
        "attempts": 0,
        "due_at": due,
        "received_at": now,
        "finished_at": now if message.parked else None,
    }


def subject(key: str, payload: Mapping[str, Any]) -> str:
    """Name what a message is about, by which it is searched for: `user:ID` where it names one, else its key."""
    user_id = payload.get("user_id")
    return _short(f"user:{user_id}" if isinstance(user_id, str) and user_id else key)


def fill_subjects(tx: Transaction) -> None:
    """Write the subjects of rows of an older version."""
    last = 0
    while rows := tx.db.execute(
        sa.select(INBOX.c.id, INBOX.c.key, INBOX.c.payload).where(INBOX.c.id > last).order_by(INBOX.c.id).limit(AT_ONCE)
    ).all():
        found = [{"row": row.id, "name": subject(row.key, row.payload)} for row in rows]
        update = INBOX.update().where(INBOX.c.id == sa.bindparam("row")).values(subject=sa.bindparam("name"))
        tx.db.execute(update, found)
        last = rows[-1].id


def _short(name: str) -> str:
    data = name.encode("utf-8", "surrogatepass")
    if len(data) <= LONGEST:
        return name
    return f"{name[:100]}...sha256:{hashlib.sha256(data).hexdigest()}"
