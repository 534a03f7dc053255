"""The queue of outbound messages, and the automation log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table

SELECT = """
SELECT id, action_id, record_id, created_at, next_attempt, attempts, error, state FROM outbound_message
"""
QUEUED, DEAD = "queued", "dead"
MAX_LOG_ENTRIES = 1000
"""The maximum number of entries of the automation log; older ones are deleted."""


@dataclass(frozen=True, slots=True)
class QueuedNotification:
    """The notification of one record in an outbound message; times are in REST's form."""

    id: str
    action_id: str
    record_id: str
    created_at: str
    next_attempt: str
    attempts: int
    error: str | None
    state: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the automation log: time, flow or rule, record, text."""

    at: str
    source: str
    record_id: str
    text: str


class NotificationTable(Table):
    """The queue of undelivered notifications (04l...)."""

    def queue(self, action_id: str, record_id: str, *, now: datetime) -> str:
        """Queue a notification that is due at once; return its ID."""
        at, id_ = stamp(now), self.next_id(ids.key_prefix("OutboundNotification"))
        self._db.execute(
            "INSERT INTO outbound_message (id, action_id, record_id, created_at, next_attempt, attempts, state)"
            " VALUES (?, ?, ?, ?, ?, 0, ?)",
            (id_, action_id, record_id, at, at, QUEUED),
        )
        return id_

    def list_all(self) -> list[QueuedNotification]:
        """List all notifications, oldest first."""
        return [QueuedNotification(*row) for row in self._db.execute(f"{SELECT} ORDER BY id")]

    def list_old(self, limit: datetime) -> list[QueuedNotification]:
        """List the unclaimed notifications that were queued before a time, oldest first."""
        rows = self._db.execute(
            f"{SELECT} WHERE state = ? AND claimed_until = 0 AND created_at <= ? ORDER BY id", (QUEUED, stamp(limit))
        )
        return [QueuedNotification(*row) for row in rows]

    def list_due(self, now: datetime, wall: float, limit: int) -> list[QueuedNotification]:
        """List at most `limit` due, unclaimed notifications of one message, oldest first; `wall` is the machine's time."""
        due = "state = :state AND next_attempt <= :now AND claimed_until <= :wall"
        parameters = {"state": QUEUED, "now": stamp(now), "wall": wall, "limit": limit}
        action = f"SELECT action_id FROM outbound_message WHERE {due} ORDER BY id LIMIT 1"  # noqa: S608
        rows = self._db.execute(f"{SELECT} WHERE {due} AND action_id = ({action}) ORDER BY id LIMIT :limit", parameters)
        return [QueuedNotification(*row) for row in rows]

    def claim(self, notifications: Iterable[QueuedNotification], holder: int, until: float) -> None:
        """Claim notifications for a process ID until a time of the machine's clock, in seconds since 1970."""
        self._db.executemany(
            "UPDATE outbound_message SET claimed_by = ?, claimed_until = ? WHERE id = ?",
            [(holder, until, notification.id) for notification in notifications],
        )

    def holders(self) -> list[int]:
        """List the IDs of the processes that have claimed notifications."""
        rows = self._db.execute("SELECT DISTINCT claimed_by FROM outbound_message WHERE claimed_until > 0")
        return [int(row[0]) for row in rows]

    def release(self, holder: int) -> None:
        """Release the claims of a process."""
        self._db.execute("UPDATE outbound_message SET claimed_until = 0 WHERE claimed_by = ?", (holder,))

    def retry(self, id_: str, *, at: datetime, error: str) -> None:
        """Store a failed attempt and the time of the next one."""
        self._db.execute(
            "UPDATE outbound_message SET attempts = attempts + 1, next_attempt = ?, error = ?, claimed_until = 0"
            " WHERE id = ?",
            (stamp(at), error, id_),
        )

    def mark_dead(self, id_: str) -> None:
        """Mark a notification as undeliverable."""
        self._db.execute("UPDATE outbound_message SET state = ?, claimed_until = 0 WHERE id = ?", (DEAD, id_))

    def delete(self, ids_: Iterable[str]) -> None:
        """Delete notifications that are delivered or too old."""
        self._db.executemany("DELETE FROM outbound_message WHERE id = ?", [(id_,) for id_ in ids_])


class AutomationLogTable(Table):
    """The automation log: automation that was skipped or that failed."""

    def add(self, source: str, record_id: str, text: str, *, now: datetime) -> None:
        """Add an entry, and delete the oldest ones above the maximum."""
        row = self._db.execute(
            "INSERT INTO automation_log (at, source, record_id, text) VALUES (?, ?, ?, ?) RETURNING number",
            (stamp(now), source, record_id, text),
        ).fetchone()
        self._db.execute("DELETE FROM automation_log WHERE number <= ?", (row[0] - MAX_LOG_ENTRIES,))

    def list_all(self) -> list[LogEntry]:
        """List the entries, oldest first."""
        rows = self._db.execute("SELECT at, source, record_id, text FROM automation_log ORDER BY number")
        return [LogEntry(*row) for row in rows]
