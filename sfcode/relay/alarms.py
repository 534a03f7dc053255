"""Alarms: what a person has to look at, kept in the inbox so that every process and command sees them."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from typing import Protocol

ALARMS = "alarms"
"""Where the inbox remembers them."""
AT_MOST = 100


class Memory(Protocol):
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


def read(memory: Memory) -> tuple[Alarm, ...]:
    """List what is not settled yet, the newest first."""
    kept = json.loads(memory.recall(ALARMS) or "[]")
    return tuple(Alarm(**each) for each in kept)


def settle(memory: Memory, name: str) -> bool:
    """Forget an alarm that somebody has seen to; tell whether there was one."""
    kept = read(memory)
    left = [each for each in kept if each.name != name]
    memory.remember(ALARMS, json.dumps([asdict(each) for each in left]))
    return len(left) < len(kept)


class Pending:
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

    def keep(self, memory: Memory) -> None:
        """Write what was raised into the inbox."""
        with self._lock:
            raised, self._raised = self._raised, {}
        if not raised:
            return
        kept = {each.name: each for each in read(memory)}
        for name, each in raised.items():
            before = kept.pop(name).times if name in kept else 0
            raised[name] = Alarm(name, each.detail, each.at, before + each.times)
        rows = [*reversed(raised.values()), *kept.values()][:AT_MOST]
        memory.remember(ALARMS, json.dumps([asdict(each) for each in rows]))
