"""
Notifications of alarms as rows: the last notification of each alarm to each receiver, and the next due one.

A row is claimed like a message: the transaction that reads it also postpones it. So only one of several processes sends
it, another one sends it if that process ends, and a receiver can detect repetitions by the ID.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, cast

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.dialects import RunTransaction, Transaction
from sfcode.relay.inbox.tables import ALARMS, NOTIFICATIONS

NotificationEvent = Literal["raised", "repeated", "resolved", "test"]
"""
`raised`: for the first time. `repeated`: the alarm has not been acknowledged. `resolved`: it has been acknowledged.
`test`: not about an alarm.
"""

LEASE = timedelta(seconds=60)
"""The time that a process has to send a claimed notification."""
AT_ONCE = 10
"""The maximum number of notifications of one claim."""
RESOLVED_ATTEMPTS = 20
"""The number of failed attempts after which a `resolved` notification is given up."""


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """The alarms that a receiver is notified of, and how often."""

    receiver: str
    alarms: Collection[str]
    """Names of alarms; empty for all."""
    repeat: timedelta


@dataclass(frozen=True, slots=True)
class AlarmNotification:
    """A notification of one alarm for one receiver."""

    receiver: str
    alarm: int
    event: NotificationEvent
    name: str
    detail: str
    number: int = 0
    """The number of notifications of this alarm that the receiver was sent before."""
    attempts: int = 1
    times: int = 0
    """The number of times that the alarm was raised."""
    raised_at: str = ""
    """The time at which the alarm was last raised (ISO 8601, UTC)."""

    @property
    def id(self) -> str:
        """An ID that is the same for each attempt, so that a receiver can detect repetitions."""
        text = f"{self.receiver}\n{self.alarm}\n{self.event}\n{self.number}\n{self.name}\n{self.detail}"
        return f"msg_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


class NotificationLog:
    """The stored notifications of all processes."""

    def __init__(self, read: RunTransaction, write: RunTransaction) -> None:
        self._read, self._write = read, write

    def claim(self, rules: Sequence[NotifyRule]) -> tuple[AlarmNotification, ...]:
        """Claim notifications that are due; until their lease ends no other process sends them."""
        return self._write(lambda tx: claim_notifications(tx, rules))

    def settle(self, notification: AlarmNotification, retry_after: timedelta | None) -> None:
        """Record that a notification was accepted (None), or after how long to retry it."""
        self._write(lambda tx: settle_notification(tx, notification, retry_after))

    def waiting(self) -> dict[str, int]:
        """Return how many notifications wait to be sent, by receiver."""
        return self._read(waiting_notifications)


def claim_notifications(tx: Transaction, rules: Sequence[NotifyRule]) -> tuple[AlarmNotification, ...]:
    """Claim up to `AT_ONCE` due notifications, after updating the rows from the present alarms."""
    table = NOTIFICATIONS.c
    tx.db.execute(NOTIFICATIONS.delete().where(table.receiver.not_in([rule.receiver for rule in rules])))
    for rule in rules:
        _update(tx, rule)
    due = sa.select(NOTIFICATIONS).where(table.event != "", table.due_at <= tx.now)
    rows = tx.db.execute(
        tx.database.for_update_skip_locked(due.order_by(table.due_at, table.alarm, table.receiver).limit(AT_ONCE))
    ).all()
    alarms = {alarm.id: alarm for alarm in tx.db.execute(sa.select(ALARMS)).all()} if rows else {}
    claimed: list[AlarmNotification] = []
    for row in rows:
        attempts = row.attempts + 1
        tx.db.execute(
            NOTIFICATIONS.update()
            .where(table.receiver == row.receiver, table.alarm == row.alarm)
            .values(attempts=attempts, due_at=tx.now + LEASE)
        )
        alarm = alarms.get(row.alarm)
        times, raised_at = (alarm.times, alarm.at) if alarm else (0, "")
        event = cast(NotificationEvent, row.event)
        claimed.append(
            AlarmNotification(
                row.receiver, row.alarm, event, row.name, row.detail, row.number, attempts, times, raised_at
            )
        )
    return tuple(claimed)


def settle_notification(tx: Transaction, notification: AlarmNotification, retry_after: timedelta | None) -> None:
    """Record that a notification was accepted, or when to retry it, unless another process has claimed it since."""
    table = NOTIFICATIONS.c
    is_current = (
        (table.receiver == notification.receiver)
        & (table.alarm == notification.alarm)
        & (table.event == notification.event)
        & (table.number == notification.number)
        & (table.attempts == notification.attempts)
    )
    is_last = notification.event == "resolved" and (retry_after is None or notification.attempts >= RESOLVED_ATTEMPTS)
    if is_last:
        tx.db.execute(NOTIFICATIONS.delete().where(is_current))
    elif retry_after is None:
        values = {"event": "", "number": table.number + 1, "attempts": 0, "due_at": tx.now, "sent_at": tx.now}
        tx.db.execute(NOTIFICATIONS.update().where(is_current).values(values))
    else:
        tx.db.execute(NOTIFICATIONS.update().where(is_current).values(due_at=tx.now + retry_after))


def waiting_notifications(tx: Transaction) -> dict[str, int]:
    """Return how many notifications wait to be sent, by receiver."""
    rows = sa.select(NOTIFICATIONS.c.receiver, sa.func.count()).where(NOTIFICATIONS.c.event != "")
    return dict(tuple(row) for row in tx.db.execute(rows.group_by(NOTIFICATIONS.c.receiver)))


def _update(tx: Transaction, rule: NotifyRule) -> None:
    """Create the due notifications of a receiver."""
    table, own = NOTIFICATIONS.c, NOTIFICATIONS.c.receiver == rule.receiver
    is_selected = ALARMS.c.name.in_(rule.alarms) if rule.alarms else sa.true()
    raised = sa.select(ALARMS.c.id).where(is_selected)
    notified = sa.select(table.alarm).where(own)
    new = sa.select(ALARMS).where(is_selected, ALARMS.c.id.not_in(notified)).order_by(ALARMS.c.id)
    rows = [_row(rule.receiver, alarm, tx.now) for alarm in tx.db.execute(new)]
    if rows:
        insert = tx.database.insert(NOTIFICATIONS)
        tx.db.execute(insert.on_conflict_do_nothing(index_elements=["receiver", "alarm"]), rows)
    is_raised = table.alarm.in_(raised)
    is_old = table.sent_at <= tx.now - rule.repeat
    repeats = NOTIFICATIONS.update().where(own, table.event == "", is_raised, is_old)
    tx.db.execute(repeats.values(event="repeated", due_at=tx.now))
    # An alarm that was acknowledged before its receiver was notified needs no notification.
    unsent = (table.event == "raised") & (table.attempts == 0)
    tx.db.execute(NOTIFICATIONS.delete().where(own, ~is_raised, unsent))
    # A notification that is being sent now is completed first: its `due_at` is the end of its lease.
    ended = NOTIFICATIONS.update().where(own, ~is_raised, table.event != "resolved")
    tx.db.execute(ended.values(event="resolved", attempts=0))


def _row(receiver: str, alarm: sa.Row[tuple[int, str, str, str, int]], now: datetime) -> dict[str, object]:
    return {
        "receiver": receiver,
        "alarm": alarm.id,
        "name": alarm.name,
        "detail": alarm.detail,
        "event": "raised",
        "number": 0,
        "attempts": 0,
        "due_at": now,
    }
