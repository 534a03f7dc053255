"""Pauses: mappings and directions whose deliveries a person has stopped, for all processes, until they are resumed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.accept import open_lanes
from sfcode.relay.inbox.alarms import remove_alarms
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.settle import reopen_idle
from sfcode.relay.inbox.state import remember
from sfcode.relay.inbox.tables import INBOX, PAUSES, SETTINGS, lane
from sfcode.relay.inbox.walk import plain

Scope = Literal["mapping", "direction"]
PAUSED: Final = "paused"
"""The reason of messages of a paused mapping, and the alarm for a long pause."""
LOOK_AGAIN = timedelta(hours=1)
"""The time after which a message of a paused mapping is tried again; a resume makes it due at once."""
SLACK = timedelta(seconds=5)
"""The most by which a message is due later than `LOOK_AGAIN`: its wait has a jitter, and its transaction may wait for a lock."""
RESUMED = "resumed:"
"""The prefix of settings with the time at which a mapping was resumed, which are kept until its messages are due."""
LONG = timedelta(hours=1)
"""The age of a pause at which an alarm is raised."""
REMIND = timedelta(days=1)
"""The time after which the alarm is raised again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A mapping or a direction that is paused."""

    scope: Scope
    name: str
    """The name of the mapping, or the destination of the direction: `salesforce` or `appcues`."""
    who: str
    at: datetime

    def __str__(self) -> str:
        """Return a description of what is paused, such as `mapping contact`."""
        return f"mapping {self.name}" if self.scope == "mapping" else f"deliveries to {self.name.capitalize()}"

    @property
    def alarm_detail(self) -> str:
        """The detail of the alarm for a long pause."""
        return f"{self}, by {self.who or 'unknown'}"


def read_pauses(tx: Transaction) -> tuple[Pause, ...]:
    """Return the pauses, the longest first."""
    rows = tx.db.execute(sa.select(PAUSES).order_by(PAUSES.c.at, PAUSES.c.scope, PAUSES.c.name))
    return tuple(Pause(row.scope, row.name, row.who, tx.to_wall(row.at)) for row in rows)


def add_pause(tx: Transaction, scope: Scope, name: str, who: str) -> bool:
    """Pause a mapping or a direction; return False if it is paused already."""
    row = {"scope": scope, "name": name, "who": who, "at": tx.now}
    insert = tx.database.insert(PAUSES).values(row).on_conflict_do_nothing()
    is_new = tx.db.execute(insert.returning(PAUSES.c.name)).first() is not None
    if is_new:
        add_audit_line(tx, who, "pause", {scope: name}, 1)
    return is_new


def remove_pause(tx: Transaction, scope: Scope, name: str, who: str) -> bool:
    """End a pause and its alarm; return False if there is no such pause. `wake_resumed` then makes its messages due."""
    removed = PAUSES.delete().where(PAUSES.c.scope == scope, PAUSES.c.name == name)
    row = tx.db.execute(removed.returning(PAUSES.c.who, PAUSES.c.at)).first()
    if row is not None:
        add_audit_line(tx, who, "resume", {scope: name}, 1)
        remove_alarms(tx, PAUSED, Pause(scope, name, row.who, row.at).alarm_detail)
        if scope == "mapping":
            remember(tx, RESUMED + name, tx.now.isoformat())
    return row is not None


def take_long_pauses(tx: Transaction) -> tuple[Pause, ...]:
    """Return the pauses for which an alarm is due, each to one process only."""
    is_due = sa.case(
        (PAUSES.c.alarmed_at.is_(None), PAUSES.c.at <= tx.now - LONG), else_=PAUSES.c.alarmed_at <= tx.now - REMIND
    )
    columns = (PAUSES.c.scope, PAUSES.c.name, PAUSES.c.who, PAUSES.c.at)
    rows = tx.db.execute(PAUSES.update().where(is_due).values(alarmed_at=tx.now).returning(*columns)).all()
    return tuple(Pause(row.scope, row.name, row.who, tx.to_wall(row.at)) for row in rows)


def wake_resumed(tx: Transaction, limit: int) -> int:
    """
    Make up to `limit` messages of resumed mappings due; return their number.

    The transaction that finds no further messages deletes the settings `RESUMED`. If no such setting is stored and no
    mapping is paused, all messages with the reason `PAUSED` are made due: a process of an older version stores no setting.
    """
    resumed = _read_resumed(tx)
    began: sa.ColumnElement[bool] = sa.true()
    if resumed:
        # Messages that began to wait later wait for another mapping.
        began = INBOX.c.due_at <= max(map(datetime.fromisoformat, resumed.values())) + LOOK_AGAIN + SLACK
    elif any(pause.scope == "mapping" for pause in read_pauses(tx)):
        return 0
    columns = (INBOX.c.id, INBOX.c.source, INBOX.c.key)
    waiting = sa.select(*columns).where(INBOX.c.reason == PAUSED, INBOX.c.state == "ready", began)
    # This is the order of the index of categories, so that the database uses that index.
    in_order = waiting.order_by(INBOX.c.source, INBOX.c.kind, INBOX.c.received_at, INBOX.c.id)
    rows = tx.db.execute(in_order.limit(limit)).all()
    # Their lanes are locked first, like in a claim, in the order that all transactions use.
    open_lanes(tx, {(row.source, row.key) for row in rows})
    still_waits = (plain(INBOX.c.state) == "ready") & (plain(INBOX.c.reason) == PAUSED) & began
    update = INBOX.update().where(within(INBOX.c.id, [row.id for row in rows]), still_waits)
    tx.db.execute(update.values(due_at=tx.now, reason=""))
    reopen_idle(tx, {lane(row.source, row.key) for row in rows})
    if len(rows) < limit:
        for name, value in resumed.items():
            tx.db.execute(SETTINGS.delete().where(SETTINGS.c.name == name, SETTINGS.c.value == value))
    return len(rows)


def _read_resumed(tx: Transaction) -> Mapping[str, str]:
    """Return the settings with the times at which mappings were resumed."""
    rows = tx.db.execute(sa.select(SETTINGS.c.name, SETTINGS.c.value).where(SETTINGS.c.name.startswith(RESUMED)))
    return {row.name: row.value for row in rows}
