"""Alarms: conditions that need a person, stored in the inbox so that every process and command shows them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

from sfcode.lazy_dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: how often it was raised with this detail, and when last (ISO 8601, UTC)."""

    name: str
    detail: str
    at: str
    times: int = 1
    id: int = 0
    """The number in the inbox; 0 before it is stored."""


class AlarmStore(Protocol):
    """Stores alarms."""

    def raise_alarms(self, raised: Iterable[Alarm]) -> None:
        """Store alarms; if an alarm is already raised, increase its count."""


class PendingAlarms:
    """
    Alarms of this process that are not in the inbox yet.

    They are raised during a delivery, on any thread, where a write to the database would block.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: dict[tuple[str, str], Alarm] = {}

    def add(self, name: str, detail: str, at: str) -> None:
        """Raise an alarm, or raise it again."""
        with self._lock:
            self._merge(Alarm(name, detail, at))

    def flush(self, store: AlarmStore) -> None:
        """Store the pending alarms in the inbox."""
        with self._lock:
            raised, self._raised = self._raised, {}
        if not raised:
            return
        try:
            store.raise_alarms(raised.values())
        except BaseException:
            with self._lock:  # keep the alarms for the next call
                newer, self._raised = self._raised, raised
                for alarm in newer.values():
                    self._merge(alarm)
            raise

    def _merge(self, alarm: Alarm) -> None:
        key = (alarm.name, alarm.detail)
        before = self._raised.get(key)
        self._raised[key] = replace(alarm, times=alarm.times + before.times) if before else alarm
