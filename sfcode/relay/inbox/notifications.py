"""
Notifications of alarms as rows: what each receiver was sent of each alarm, and what is due.

A row is claimed like a message: the claim puts it off, in the transaction that reads it. So of several processes one sends
it, another one does if that process ends, and a receiver sees by the id which ones it has.
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
"""Repeated: nobody has acknowledged the alarm. Resolved: somebody has."""

LEASE = timedelta(seconds=60)
"""How long a notification belongs to the process that sends it."""
AT_ONCE = 10
"""Notifications that are sent at once: more of them wait for the next look."""
FAREWELLS = 20
"""Attempts after which the end of an alarm is not sent any more."""


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """Which alarms a receiver is sent, and how often."""

    receiver: str
    alarms: Collection[str]
    """Empty for all."""
    repeat: timedelta


@dataclass(frozen=True, slots=True)
class AlarmNotification:
    """What one receiver is to be sent of one alarm."""

    receiver: str
    alarm: int
    event: NotificationEvent
    name: str
    detail: str
    number: int = 0
    """How many the receiver was sent of this alarm before."""
    attempts: int = 1
    times: int = 0
    """How often the alarm was raised."""
    raised_at: str = ""
    """When last (ISO 8601, UTC)."""

    @property
    def id(self) -> str:
        """The same for each attempt, so that a receiver knows one that it has."""
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
        """Record that a notification was taken (None), or after how long to send it again."""
        self._write(lambda tx: settle_notification(tx, notification, retry_after))

    def waiting(self) -> dict[str, int]:
        """Return how many notifications wait to be sent, by receiver."""
        return self._read(waiting_notifications)


def claim_notifications(tx: Transaction, rules: Sequence[NotifyRule]) -> tuple[AlarmNotification, ...]:
    """Claim up to `AT_ONCE` notifications that are due, by what was sent so far and the alarms that are raised now."""
    table = NOTIFICATIONS.c
    tx.db.execute(NOTIFICATIONS.delete().where(table.receiver.not_in([rule.receiver for rule in rules])))
    for rule in rules:
        _update(tx, rule)
    due = sa.select(NOTIFICATIONS).where(table.event != "", table.due_at <= tx.now)
    rows = tx.db.execute(tx.database.free(due.order_by(table.due_at, table.alarm, table.receiver).limit(AT_ONCE))).all()
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
    """Record that a notification was taken, or when to send it again; nothing where another process has claimed it since."""
    table = NOTIFICATIONS.c
    is_ours = (
        (table.receiver == notification.receiver)
        & (table.alarm == notification.alarm)
        & (table.event == notification.event)
        & (table.number == notification.number)
        & (table.attempts == notification.attempts)
    )
    is_last = notification.event == "resolved" and (retry_after is None or notification.attempts >= FAREWELLS)
    if is_last:
        tx.db.execute(NOTIFICATIONS.delete().where(is_ours))
    elif retry_after is None:
        sent = {"event": "", "number": table.number + 1, "attempts": 0, "due_at": tx.now, "sent_at": tx.now}
        tx.db.execute(NOTIFICATIONS.update().where(is_ours).values(sent))
    else:
        tx.db.execute(NOTIFICATIONS.update().where(is_ours).values(due_at=tx.now + retry_after))


def waiting_notifications(tx: Transaction) -> dict[str, int]:
    """Return how many notifications wait to be sent, by receiver."""
    rows = sa.select(NOTIFICATIONS.c.receiver, sa.func.count()).where(NOTIFICATIONS.c.event != "")
    return dict(tuple(row) for row in tx.db.execute(rows.group_by(NOTIFICATIONS.c.receiver)))


def _update(tx: Transaction, rule: NotifyRule) -> None:
    """Make due what a receiver is to be sent now."""
    table, own = NOTIFICATIONS.c, NOTIFICATIONS.c.receiver == rule.receiver
    chosen = ALARMS.c.name.in_(rule.alarms) if rule.alarms else sa.true()
    raised = sa.select(ALARMS.c.id).where(chosen)
    sent = sa.select(table.alarm).where(own)
    new = sa.select(ALARMS).where(chosen, ALARMS.c.id.not_in(sent)).order_by(ALARMS.c.id)
    rows = [_row(rule.receiver, alarm, tx.now) for alarm in tx.db.execute(new)]
    if rows:
        insert = tx.database.insert(NOTIFICATIONS)
        tx.db.execute(insert.on_conflict_do_nothing(index_elements=["receiver", "alarm"]), rows)
    is_raised = table.alarm.in_(raised)
    is_old = table.sent_at <= tx.now - rule.repeat
    again = NOTIFICATIONS.update().where(own, table.event == "", is_raised, is_old)
    tx.db.execute(again.values(event="repeated", due_at=tx.now))
    # Of an alarm that was acknowledged before its receiver could know it there is nothing to say.
    unsent = (table.event == "raised") & (table.attempts == 0)
    tx.db.execute(NOTIFICATIONS.delete().where(own, ~is_raised, unsent))
    # One that is on its way just now comes first: `due_at` is the end of its lease.
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
        "sent_at": None,
    }
