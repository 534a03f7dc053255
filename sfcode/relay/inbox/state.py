"""Small durable state: latest delivered states, settings, processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.inbox_clock import BootMark
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import LATEST, PROCESSES, SETTINGS
from sfcode.relay.inbox.types import Process
from sfcode.relay.message import LatestState

AT_ONCE = 1_000
FORGOTTEN = timedelta(days=1)
CLOCK_SHIFT = "clock_shift"
"""The setting with the sum of the wall clock's jumps, in seconds."""
CLOCK_SEEN = "clock_seen"
"""The setting with a time that the inbox's clock has reached (ISO 8601, UTC)."""
CLOCK_MARK = "clock_mark"
"""The setting with a time that the inbox's clock has reached, and the boot clock of the machine that stored it."""


def latest(tx: Transaction, names: Iterable[str]) -> dict[str, LatestState]:
    """Return latest states by name."""
    request = sorted(set(names))
    states: dict[str, LatestState] = {}
    for start in range(0, len(request), AT_ONCE):
        query = sa.select(LATEST).where(within(LATEST.c.name, request[start : start + AT_ONCE]))
        states |= {row.name: LatestState(row.name, row.stamp, row.value) for row in tx.db.execute(query)}
    return states


def remember(tx: Transaction, name: str, value: str) -> None:
    """Store a setting."""
    insert = tx.database.insert(SETTINGS)
    upsert = insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value})
    tx.db.execute(upsert, {"name": name, "value": value})


def replace_setting(tx: Transaction, name: str, before: str | None, after: str) -> bool:
    """Replace the value of a setting; return False if its present value is not `before` (None: not set)."""
    if before is None:
        insert = tx.database.insert(SETTINGS).on_conflict_do_nothing(index_elements=["name"])
        return tx.db.execute(insert.values(name=name, value=after).returning(SETTINGS.c.name)).first() is not None
    change = SETTINGS.update().where(SETTINGS.c.name == name, SETTINGS.c.value == before).values(value=after)
    return tx.db.execute(change.returning(SETTINGS.c.name)).first() is not None


def recall(tx: Transaction, name: str) -> str | None:
    """Return a setting; None if it does not exist."""
    return tx.db.execute(sa.select(SETTINGS.c.value).where(SETTINGS.c.name == name)).scalar()


def start_clock(tx: Transaction) -> None:
    """Start the inbox's clock from the times that other processes have stored."""
    newest, mark = recall(tx, CLOCK_SEEN), recall(tx, CLOCK_MARK)
    tx.database.clock.start(
        tx.reading,
        _stored_shift(tx),
        datetime.fromisoformat(newest) if newest else None,
        BootMark.parse(mark) if mark else None,
    )


def store_jump(tx: Transaction) -> tuple[float, timedelta]:
    """Add a jump of the wall clock, if there was one, to the stored sum; return its seconds, and the sum."""
    shift = _stored_shift(tx)
    jump = tx.database.clock.jump(tx.reading, shift)
    if jump:
        shift += timedelta(seconds=jump)
        remember(tx, CLOCK_SHIFT, repr(shift.total_seconds()))
    return jump, shift


def _stored_shift(tx: Transaction) -> timedelta:
    return timedelta(seconds=float(recall(tx, CLOCK_SHIFT) or 0.0))


def heartbeat(tx: Transaction, process_id: str, config: str) -> None:
    """Store a heartbeat and the time, and delete processes that had no heartbeat for a day."""
    insert = tx.database.insert(PROCESSES)
    upsert = insert.on_conflict_do_update(
        index_elements=["id"], set_={"seen_at": insert.excluded.seen_at, "config": insert.excluded.config}
    )
    tx.db.execute(upsert, {"id": process_id, "started_at": tx.now, "seen_at": tx.now, "config": config})
    tx.db.execute(PROCESSES.delete().where(PROCESSES.c.seen_at < tx.now - FORGOTTEN))
    remember(tx, CLOCK_SEEN, tx.now.isoformat())
    if mark := tx.database.clock.mark(tx.reading, tx.now):
        remember(tx, CLOCK_MARK, str(mark))


def leave(tx: Transaction, process_id: str) -> None:
    """Remove a process."""
    tx.db.execute(PROCESSES.delete().where(PROCESSES.c.id == process_id))


def processes(tx: Transaction, within: float) -> tuple[Process, ...]:
    """Return the processes with a recent heartbeat, the oldest first."""
    alive = sa.select(PROCESSES).where(PROCESSES.c.seen_at >= tx.now - timedelta(seconds=within))
    rows = tx.db.execute(alive.order_by(PROCESSES.c.started_at, PROCESSES.c.id))
    return tuple(Process(row.id, tx.to_wall(row.started_at), tx.to_wall(row.seen_at), row.config) for row in rows)
