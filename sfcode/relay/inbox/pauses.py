"""Pauses: what a person has stopped the relay from delivering, for all processes, until it is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from sfcode.relay.inbox.accept import open_lanes
from sfcode.relay.inbox.alarms import remove_alarms
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.settle import reopen_idle
from sfcode.relay.inbox.tables import INBOX, PAUSES, lane

Scope = Literal["mapping", "direction"]
PAUSED = "paused"
"""The reason of messages that wait for a mapping to be resumed, and the alarm for a long pause."""
LONG = timedelta(hours=1)
"""After which a pause raises an alarm."""
REMIND = timedelta(days=1)
"""After which it raises it again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A mapping or a direction that is paused."""

    scope: Scope
    name: str
    """Of the mapping, or the side that the direction leads to: `salesforce` or `appcues`."""
    who: str
    at: datetime

    def __str__(self) -> str:
        """Return what is paused, such as `mapping contact`."""
        return f"mapping {self.name}" if self.scope == "mapping" else f"deliveries to {self.name.capitalize()}"

    @property
    def alarm_detail(self) -> str:
        """Return the detail of the alarm for a long pause."""
        return f"{self}, by {self.who or 'unknown'}"


def read_pauses(tx: Transaction) -> tuple[Pause, ...]:
    """Return what is paused, the longest first."""
    rows = tx.db.execute(sa.select(PAUSES).order_by(PAUSES.c.at, PAUSES.c.scope, PAUSES.c.name))
    return tuple(Pause(row.scope, row.name, row.who, tx.to_wall(row.at)) for row in rows)


def add_pause(tx: Transaction, scope: Scope, name: str, who: str) -> bool:
    """Pause a mapping or a direction; false where it is paused already."""
    row = {"scope": scope, "name": name, "who": who, "at": tx.now}
    insert = tx.database.insert(PAUSES).values(row).on_conflict_do_nothing()
    is_new = tx.db.execute(insert.returning(PAUSES.c.name)).first() is not None
    if is_new:
        add_audit_line(tx, who, "pause", {scope: name}, 1)
    return is_new


def remove_pause(tx: Transaction, scope: Scope, name: str, who: str) -> bool:
    """End a pause and its alarm; false where there was none."""
    removed = PAUSES.delete().where(PAUSES.c.scope == scope, PAUSES.c.name == name)
    row = tx.db.execute(removed.returning(PAUSES.c.who, PAUSES.c.at)).first()
    if row is not None:
        add_audit_line(tx, who, "resume", {scope: name}, 1)
        remove_alarms(tx, PAUSED, Pause(scope, name, row.who, row.at).alarm_detail)
    return row is not None


def take_long_pauses(tx: Transaction) -> tuple[Pause, ...]:
    """Return the pauses that a person must be reminded of, each to one process only."""
    is_due = sa.case(
        (PAUSES.c.alarmed_at.is_(None), PAUSES.c.at <= tx.now - LONG), else_=PAUSES.c.alarmed_at <= tx.now - REMIND
    )
    columns = (PAUSES.c.scope, PAUSES.c.name, PAUSES.c.who, PAUSES.c.at)
    rows = tx.db.execute(PAUSES.update().where(is_due).values(alarmed_at=tx.now).returning(*columns)).all()
    return tuple(Pause(row.scope, row.name, row.who, tx.to_wall(row.at)) for row in rows)


def wake_paused(tx: Transaction, limit: int) -> int:
    """Make up to `limit` messages due that wait for a mapping to be resumed; return how many."""
    waiting = (INBOX.c.reason == PAUSED) & (INBOX.c.reason != sa.literal_column("''")) & (INBOX.c.state == "ready")
    columns = (INBOX.c.id, INBOX.c.source, INBOX.c.key)
    rows = tx.db.execute(
        sa.select(*columns).where(waiting).order_by(INBOX.c.received_at, INBOX.c.id).limit(limit)
    ).all()
    # Their lanes are locked first, as by a claim, and in the order of all transactions.
    open_lanes(tx, {(row.source, row.key) for row in rows})
    woken = INBOX.update().where(within(INBOX.c.id, [row.id for row in rows]), waiting).values(due_at=tx.now, reason="")
    count = tx.db.execute(woken).rowcount
    names = {lane(row.source, row.key) for row in rows}
    reopen_idle(tx, names)
    return count
