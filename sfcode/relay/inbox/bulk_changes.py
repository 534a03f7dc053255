"""
Bulk changes: replays and discards of many messages, stored in the inbox until they end.

A change has the ID of its audit line, which counts the changed messages. A change consists of steps. Each step changes
some messages and stores the new count and position, all in one transaction, and only the process that holds the lease
of the change executes it. So each message is changed once, and every process knows the progress. If the process ends,
another process continues the change once the lease has expired.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sfcode.errors import SfcodeError
from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox import admin, audit, search
from sfcode.relay.inbox.column_types import Unreadable
from sfcode.relay.inbox.dialects import RunTransaction, Transaction
from sfcode.relay.inbox.search import MessageCount
from sfcode.relay.inbox.tables import AUDIT, CHANGES
from sfcode.relay.inbox.types import BLOCKED, ChangeAction, Filter
from sfcode.relay.inbox.walk import choose_walk_of_change

AT_ONCE = 1_000
"""The number of messages that one step changes."""
LEASE = timedelta(seconds=15)
"""The time for which a process holds a change after each step."""
KEPT = timedelta(days=7)
"""The time for which a change is stored after its end. Its audit line is kept longer."""


@dataclass(frozen=True, slots=True)
class BulkChange:
    """A replay or a discard of many messages."""

    id: int
    """The ID of the change, which is that of its audit line."""
    action: ChangeAction
    who: str
    choice: Filter
    total: MessageCount
    """The number of messages that matched when the change began. All matching messages are changed, even if not all
    were counted."""
    done: int
    begun_at: datetime
    ended_at: datetime | None
    problem: str
    """Why the change ended early; "" if it did not."""
    is_held: bool
    """Whether a process is running the change."""


class BulkChanges:
    """The bulk changes of one database."""

    def __init__(self, read: RunTransaction, write: RunTransaction) -> None:
        self._read, self._write = read, write

    def begin(self, action: ChangeAction, choice: Filter, who: str, *, total: MessageCount, holder: str = "") -> int:
        """
        Store a change of the messages that match a filter; return its ID.

        `holder` is the process that runs the change; if it is empty, any process may take the change.
        """
        return self._write(lambda tx: _begin(tx, action, choice, who, total=total, holder=holder))

    def carry_out(
        self, action: ChangeAction, choice: Filter, who: str, *, total: MessageCount, progress: Callable[[int], object]
    ) -> int:
        """
        Store a change and run all of its steps in this process; return the number of changed messages.

        If this process is killed, another process continues the change.
        """

        def report(change: BulkChange) -> bool:
            progress(change.done)
            return True

        holder = secrets.token_hex(8)
        id_ = self.begin(action, choice, who, total=total, holder=holder)
        try:
            change = self.run(id_, holder, report)
        except BaseException as error:
            text = error.message if isinstance(error, SfcodeError) else f"{type(error).__name__}."
            with suppress(Exception):  # the database is unavailable; another process takes the change
                self.end(id_, holder, "It was interrupted." if isinstance(error, KeyboardInterrupt) else text)
            raise
        return change.done if change else 0

    def take(self, holder: str) -> BulkChange | None:
        """Take and return the oldest change that no process is running; None if there is no such change."""
        if not self._read(lambda tx: tx.db.execute(_free(tx)).first()):
            return None
        return self._write(lambda tx: _take(tx, holder))

    def step(self, id_: int, holder: str) -> BulkChange | None:
        """Change up to `AT_ONCE` messages; return the change, or None if `holder` does not hold it any more."""
        return self._write(lambda tx: _step(tx, id_, holder, AT_ONCE))

    def run(
        self, id_: int, holder: str, may_continue: Callable[[BulkChange], object] = lambda _: True
    ) -> BulkChange | None:
        """
        Run steps until the change ends or `may_continue` returns false; return the change.

        An unfinished change may then be taken by any process.
        """
        while change := self.step(id_, holder):
            goes_on = may_continue(change)
            if change.ended_at or not goes_on:
                self.leave(id_, holder)
                return change
        return self.find(id_)

    def leave(self, id_: int, holder: str) -> None:
        """Let another process take a change that has not ended."""
        self._write(lambda tx: tx.db.execute(_update_held(id_, holder).values(holder="", lease_until=tx.now)))

    def end(self, id_: int, holder: str, problem: str) -> None:
        """End a change early, and store the reason."""
        self._write(lambda tx: tx.db.execute(_update_held(id_, holder).values(ended_at=tx.now, problem=problem)))

    def stop(self, id_: int, who: str) -> bool:
        """End a change early, in any process; return False if it has already ended."""
        return self._write(lambda tx: _stop(tx, id_, who))

    def find(self, id_: int) -> BulkChange | None:
        """Return a change; None if it does not exist or was purged."""
        return next(iter(self._read(lambda tx: _select(tx, CHANGES.c.id == id_))), None)

    def under_way(self) -> tuple[BulkChange, ...]:
        """Return the changes that have not ended, the oldest first."""
        return self._read(lambda tx: _select(tx, CHANGES.c.ended_at.is_(None)))

    def purge(self) -> int:
        """Delete changes that ended longer ago than `KEPT`; return their number."""
        return self._write(
            lambda tx: tx.db.execute(CHANGES.delete().where(CHANGES.c.ended_at <= tx.now - KEPT)).rowcount
        )


def delete_changes_about(tx: Transaction, subject: str, records: Collection[str]) -> None:
    """Delete the bulk changes that selected messages by a person's IDs; a running one ends."""
    for row in tx.db.execute(sa.select(CHANGES.c.id, CHANGES.c.choice)).all():
        if (subject and row.choice.get("subject") == subject) or row.choice.get("record") in records:
            tx.db.execute(CHANGES.delete().where(CHANGES.c.id == row.id))


def _begin(tx: Transaction, action: ChangeAction, choice: Filter, who: str, *, total: MessageCount, holder: str) -> int:
    id_ = audit.add_audit_line(tx, who, action, audit.describe_selection(choice), 0)
    row = {"id": id_, "action": action, "choice": _dump(shift_times(choice, -tx.database.clock.shift))}
    lease = tx.now + LEASE if holder else tx.now
    tx.db.execute(
        CHANGES.insert().values(
            **row, total=total.number, is_partial=total.is_partial, holder=holder, lease_until=lease, problem=""
        )
    )
    return id_


def _free(tx: Transaction) -> sa.Select[tuple[int]]:
    is_free = CHANGES.c.ended_at.is_(None) & (CHANGES.c.lease_until <= tx.now)
    return sa.select(CHANGES.c.id).where(is_free).order_by(CHANGES.c.id).limit(1)


def _take(tx: Transaction, holder: str) -> BulkChange | None:
    row = tx.db.execute(tx.database.for_update_skip_locked(_free(tx))).first()
    if row is None:
        return None
    lease = CHANGES.update().where(CHANGES.c.id == row.id).values(holder=holder, lease_until=tx.now + LEASE)
    tx.db.execute(lease)
    return next(iter(_select(tx, CHANGES.c.id == row.id)))


def _step(tx: Transaction, id_: int, holder: str, limit: int) -> BulkChange | None:
    is_held = (CHANGES.c.id == id_) & (CHANGES.c.holder == holder) & CHANGES.c.ended_at.is_(None)
    row = tx.db.execute(tx.database.for_update(sa.select(CHANGES).where(is_held))).first()
    if row is None:
        return None
    choice = _load(row.choice)
    walk = choose_walk_of_change(tx, choice, search.states_of(choice, BLOCKED))
    after = None if row.after_id is None else (row.after_at, row.after_id)
    step = admin.select_step(row.action, choice)
    who = tx.db.scalar(sa.select(AUDIT.c.who).where(AUDIT.c.id == id_)) or ""
    number, last = step(tx, walk, after, limit, who)
    audit.add_to_number(tx, id_, number)
    after_at, after_id = last or (None, None)
    values = {"after_at": after_at, "after_id": after_id, "ended_at": None if last else tx.now}
    tx.db.execute(_update_held(id_, holder).values(**values, lease_until=tx.now + LEASE))
    return next(iter(_select(tx, CHANGES.c.id == id_)))


def _update_held(id_: int, holder: str) -> sa.Update:
    """Return the UPDATE statement of a change, on the condition that a holder holds it."""
    return CHANGES.update().where(CHANGES.c.id == id_, CHANGES.c.holder == holder, CHANGES.c.ended_at.is_(None))


def _stop(tx: Transaction, id_: int, who: str) -> bool:
    stopped = CHANGES.update().where(CHANGES.c.id == id_, CHANGES.c.ended_at.is_(None))
    if not tx.db.execute(stopped.values(ended_at=tx.now, problem=f"{who} stopped it.")).rowcount:
        return False
    audit.add_audit_line(tx, who, "stop", {"change": id_}, 1)
    return True


def _select(tx: Transaction, condition: sa.ColumnElement[bool]) -> tuple[BulkChange, ...]:
    columns = (CHANGES, AUDIT.c.who, AUDIT.c.number, AUDIT.c.at)
    rows = sa.select(*columns).join(AUDIT, AUDIT.c.id == CHANGES.c.id).where(condition).order_by(CHANGES.c.id)
    return tuple(
        BulkChange(
            row.id,
            row.action,
            row.who,
            shift_times(_load(row.choice), tx.database.clock.shift),
            MessageCount(row.total, row.is_partial),
            row.number,
            tx.to_wall(row.at),
            row.ended_at and tx.to_wall(row.ended_at),
            row.problem,
            is_held=row.ended_at is None and row.lease_until > tx.now,
        )
        for row in tx.db.execute(rows)
    )


def shift_times(choice: Filter, by: timedelta) -> Filter:
    """Return a filter whose times are shifted to another clock."""
    return replace(choice, since=choice.since and choice.since + by, until=choice.until and choice.until + by)


def _dump(choice: Filter) -> dict[str, Any]:
    conditions = {name: getattr(choice, name) for name in Filter.__slots__}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in conditions.items()
        if value is not None
    }


def _load(document: Mapping[str, Any]) -> Filter:
    if isinstance(document, Unreadable):
        return Filter(ids=())  # selects no message; a filter without conditions would select all
    times = {name: datetime.fromisoformat(document[name]) for name in ("since", "until") if name in document}
    ids = {"ids": tuple(document["ids"])} if "ids" in document else {}
    return Filter(**{**document, **times, **ids})
