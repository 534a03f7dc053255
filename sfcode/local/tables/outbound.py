"""Outbound messages that wait for their delivery, and what automation did or could not do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.tables.base import Table

SELECT = """
SELECT id, action_id, record_id, created_at, next_attempt, attempts, error, state FROM outbound_message
"""
QUEUED, DEAD = "queued", "dead"
KEPT_ENTRIES = 1000
"""Of the automation log; older ones go."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One record that an outbound message is about; times are REST's text."""

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
    """What automation has to say: when, which flow or rule, for which record, what."""

    at: str
    source: str
    record_id: str
    text: str


def _notification(row: sqlite3.Row) -> Notification:
    return Notification(*row)


class OutboundTable(Table):
    """The queue of notifications (04l...), and the automation log."""

    def queue_notification(self, action_id: str, record_id: str, *, now: datetime) -> str:
        """Queue a notification that is due at once; give its id."""
        at, id_ = stamp(now), self.new_id(ids.key_prefix("OutboundNotification"))
        self._db.execute(
            "INSERT INTO outbound_message (id, action_id, record_id, created_at, next_attempt, attempts, state)"
            " VALUES (?, ?, ?, ?, ?, 0, ?)",
            (id_, action_id, record_id, at, at, QUEUED),
        )
        return id_

    def notifications(self) -> list[Notification]:
        """List everything that is not delivered, oldest first."""
        return [_notification(row) for row in self._db.execute(f"{SELECT} ORDER BY id")]

    def old_notifications(self, limit: datetime) -> list[Notification]:
        """List what waits since before a moment and is in nobody's hands, oldest first."""
        rows = self._db.execute(
            f"{SELECT} WHERE state = ? AND claimed_until = 0 AND created_at <= ? ORDER BY id", (QUEUED, stamp(limit))
        )
        return [_notification(row) for row in rows]

    def due_notifications(self, now: datetime, wall: float, most: int) -> list[Notification]:
        """List what is due next and in nobody's hands: of one action, oldest first."""
        due = "state = :state AND next_attempt <= :now AND claimed_until <= :wall"
        given = {"state": QUEUED, "now": stamp(now), "wall": wall, "most": most}
        action = f"SELECT action_id FROM outbound_message WHERE {due} ORDER BY id LIMIT 1"  # noqa: S608
        rows = self._db.execute(f"{SELECT} WHERE {due} AND action_id = ({action}) ORDER BY id LIMIT :most", given)
        return [_notification(row) for row in rows]

    def claim_notifications(self, found: Iterable[Notification], holder: int, until: float) -> None:
        """Take notifications in hand for a while; `holder` is the process, times are the machine's."""
        self._db.executemany(
            "UPDATE outbound_message SET claimed_by = ?, claimed_until = ? WHERE id = ?",
            [(holder, until, each.id) for each in found],
        )

    def notification_holders(self) -> list[int]:
        """List the processes that have notifications in hand."""
        rows = self._db.execute("SELECT DISTINCT claimed_by FROM outbound_message WHERE claimed_until > 0")
        return [int(row[0]) for row in rows]

    def release_notifications(self, holder: int) -> None:
        """Put back what a process has in hand."""
        self._db.execute("UPDATE outbound_message SET claimed_until = 0 WHERE claimed_by = ?", (holder,))

    def retry_notification(self, id_: str, *, at: datetime, error: str) -> None:
        """Note an attempt that failed, and when the next one is."""
        self._db.execute(
            "UPDATE outbound_message SET attempts = attempts + 1, next_attempt = ?, error = ?, claimed_until = 0"
            " WHERE id = ?",
            (stamp(at), error, id_),
        )

    def bury_notification(self, id_: str) -> None:
        """Keep a notification that will not be delivered."""
        self._db.execute("UPDATE outbound_message SET state = ?, claimed_until = 0 WHERE id = ?", (DEAD, id_))

    def forget_notifications(self, ids_: Iterable[str]) -> None:
        """Drop notifications: they are delivered, or too old."""
        self._db.executemany("DELETE FROM outbound_message WHERE id = ?", [(each,) for each in ids_])

    def log_automation(self, source: str, record_id: str, text: str, *, now: datetime) -> None:
        """Write down what automation did not do, or could not."""
        row = self._db.execute(
            "INSERT INTO automation_log (at, source, record_id, text) VALUES (?, ?, ?, ?) RETURNING number",
            (stamp(now), source, record_id, text),
        ).fetchone()
        self._db.execute("DELETE FROM automation_log WHERE number <= ?", (row[0] - KEPT_ENTRIES,))

    def automation_log(self) -> list[LogEntry]:
        """List the log, oldest first."""
        rows = self._db.execute("SELECT at, source, record_id, text FROM automation_log ORDER BY number")
        return [LogEntry(*row) for row in rows]
