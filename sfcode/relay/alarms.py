"""Alarms: what a person has to look at, kept in the inbox so that every process and command sees them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Protocol

ALARMS = "alarms"
"""Where the inbox remembers them."""
AT_MOST = 100


class SettingStore(Protocol):
    """Stores small values by name."""

    def remember(self, name: str, value: str) -> None:
        """Store a value."""

    def recall(self, name: str) -> str | None:
        """Return a value; None where there is none."""


class AlarmStore(Protocol):
    """Stores small values by name, and changes one in a single transaction."""

    def recall(self, name: str) -> str | None:
        """Return a value; None where there is none."""

    def change(self, name: str, change: Callable[[str | None], str]) -> None:
        """Replace a value by what `change` makes of it; nobody else changes it meanwhile."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: its newest detail, how often it was raised, and when last (ISO 8601, UTC)."""

    name: str
    detail: str
    at: str
    times: int = 1


def read_alarms(store: AlarmStore) -> tuple[Alarm, ...]:
    """Return the alarms that nobody has acknowledged, the newest first."""
    return _parse(store.recall(ALARMS))


def acknowledge(store: AlarmStore, name: str) -> bool:
    """Remove an alarm; return whether it was raised."""
    found: set[str] = set()

    def remove(text: str | None) -> str:
        stored = _parse(text)
        found.clear()
        found.update(alarm.name for alarm in stored)
        return _render(alarm for alarm in stored if alarm.name != name)

    store.change(ALARMS, remove)
    return name in found


class PendingAlarms:
    """
    Alarms of this process that are not in the inbox yet.

    They are raised during a delivery, on any thread, where a write to the database would block.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: dict[str, Alarm] = {}

    def add(self, name: str, detail: str, at: str) -> None:
        """Raise an alarm, or raise it again."""
        with self._lock:
            times = self._raised[name].times + 1 if name in self._raised else 1
            self._raised[name] = Alarm(name, detail, at, times)

    def flush(self, store: AlarmStore) -> None:
        """Write what was raised into the inbox."""
        with self._lock:
            raised, self._raised = self._raised, {}
        if not raised:
            return
        try:
            # In one transaction: other processes raise alarms at the same moment, and for the same reason.
            store.change(ALARMS, lambda text: _render(_merge(raised, _parse(text))[:AT_MOST]))
        except BaseException:
            with self._lock:  # the next time, then
                self._raised = {each.name: each for each in reversed(_merge(self._raised, reversed(raised.values())))}
            raise


def _parse(text: str | None) -> tuple[Alarm, ...]:
    return tuple(Alarm(**alarm) for alarm in json.loads(text or "[]"))


def _render(alarms: Iterable[Alarm]) -> str:
    return json.dumps([asdict(alarm) for alarm in alarms])


def _merge(newer: Mapping[str, Alarm], older: Iterable[Alarm]) -> list[Alarm]:
    """Merge alarms, the newest first; counts of the same name add up."""
    left = {each.name: each for each in older}
    again = [
        replace(each, times=each.times + left.pop(name).times) if name in left else each for name, each in newer.items()
    ]
    return [*reversed(again), *left.values()]
