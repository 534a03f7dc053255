"""Small durable state: latest delivered states, settings, processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import LATEST, PROCESSES, SETTINGS
from sfcode.relay.inbox.types import Process
from sfcode.relay.message import LatestState

AT_ONCE = 1_000
FORGOTTEN = timedelta(days=1)


def latest(tx: Transaction, names: Iterable[str]) -> dict[str, LatestState]:
    """Return latest states by name."""
    request = sorted(set(names))
    found: dict[str, LatestState] = {}
    for start in range(0, len(request), AT_ONCE):
        query = sa.select(LATEST).where(LATEST.c.name.in_(request[start : start + AT_ONCE]))
        found |= {row.name: LatestState(row.name, row.stamp, row.value) for row in tx.db.execute(query)}
    return found


def remember(tx: Transaction, name: str, value: str) -> None:
    """Keep a setting."""
    insert = tx.database.insert(SETTINGS)
    upsert = insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value})
    tx.db.execute(upsert, {"name": name, "value": value})


def recall(tx: Transaction, name: str) -> str | None:
    """Return a setting; None where there is none."""
    return tx.db.execute(sa.select(SETTINGS.c.value).where(SETTINGS.c.name == name)).scalar()


def heartbeat(tx: Transaction, process_id: str, now: datetime, config: str) -> None:
    """Store a heartbeat, and delete processes without one for a day."""
    insert = tx.database.insert(PROCESSES)
    upsert = insert.on_conflict_do_update(
        index_elements=["id"], set_={"seen_at": insert.excluded.seen_at, "config": insert.excluded.config}
    )
    tx.db.execute(upsert, {"id": process_id, "started_at": now, "seen_at": now, "config": config})
    tx.db.execute(PROCESSES.delete().where(PROCESSES.c.seen_at < now - FORGOTTEN))


def leave(tx: Transaction, process_id: str) -> None:
    """Remove a process."""
    tx.db.execute(PROCESSES.delete().where(PROCESSES.c.id == process_id))


def processes(tx: Transaction, within: float) -> tuple[Process, ...]:
    """Return the processes with a recent heartbeat, the oldest first."""
    alive = sa.select(PROCESSES).where(PROCESSES.c.seen_at >= tx.now - timedelta(seconds=within))
    rows = tx.db.execute(alive.order_by(PROCESSES.c.started_at, PROCESSES.c.id))
    return tuple(Process(row.id, row.started_at, row.seen_at, row.config) for row in rows)
