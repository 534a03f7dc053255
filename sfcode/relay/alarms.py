"""Alarms: what a person has to look at, kept in the inbox so that every process and command sees them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Protocol

ALARMS = "alarms"
"""Where the inbox remembers them."""
AT_MOST = 100


class SettingStore(Protocol):
    """What remembers a value by its name."""

    def remember(self, name: str, value: str) -> None:
        """Keep a value."""

    def recall(self, name: str) -> str | None:
        """Give it back."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was said, how often, and when for the last time (ISO, UTC)."""

    name: str
    detail: str
    at: str
    times: int = 1


def read(memory: SettingStore) -> tuple[Alarm, ...]:
    """List what is not settled yet, the newest first."""
    kept = json.loads(memory.recall(ALARMS) or "[]")
    return tuple(Alarm(**each) for each in kept)


def settle(memory: SettingStore, name: str) -> bool:
    """Forget an alarm that somebody has seen to; tell whether there was one."""
    kept = read(memory)
    left = [each for each in kept if each.name != name]
    memory.remember(ALARMS, json.dumps([asdict(each) for each in left]))
    return len(left) < len(kept)


class PendingAlarms:
    """
    Alarms of this process that are not in the inbox yet.

    They are raised in the middle of a delivery, on any thread, where nobody waits for a database.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: dict[str, Alarm] = {}

    def add(self, name: str, detail: str, at: str) -> None:
        """Raise an alarm, or raise it again."""
        with self._lock:
            times = self._raised[name].times + 1 if name in self._raised else 1
            self._raised[name] = Alarm(name, detail, at, times)

    def keep(self, memory: SettingStore) -> None:
        """Write what was raised into the inbox."""
        with self._lock:
            raised, self._raised = self._raised, {}
        if not raised:
            return
        try:
            kept = read(memory)
            memory.remember(ALARMS, json.dumps([asdict(each) for each in _merged(raised, kept)][:AT_MOST]))
        except BaseException:
            with self._lock:  # the next time, then
                self._raised = {each.name: each for each in reversed(_merged(self._raised, reversed(raised.values())))}
            raise


def _merged(newer: Mapping[str, Alarm], older: Iterable[Alarm]) -> list[Alarm]:
    """Put alarms together, the newest first; those that were raised again count on."""
    left = {each.name: each for each in older}
    again = [
        replace(each, times=each.times + left.pop(name).times) if name in left else each for name, each in newer.items()
    ]
    return [*reversed(again), *left.values()]
