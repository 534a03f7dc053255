"""
The activity of a process: how much it received, delivered and called, counted by the minute until the inbox stores it.

Counting a message needs a few additions in memory, and the inbox gets one write per process and minute.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

MINUTE = 60
"""The length of a minute in seconds."""

Figure = Literal[
    "received",
    "delivered",
    "retried",
    "parked",
    "dead",
    "calls",
    "failed_calls",
    "commit_time",
    "delivery_time",
    "oldest_seconds",
]
PEAKS: frozenset[Figure] = frozenset({"oldest_seconds"})
"""Figures of which a longer span has the largest value of its minutes; all other figures are summed."""

BOUNDS = (
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000,
)  # fmt: skip
"""Upper bounds in milliseconds of the histogram classes that durations are counted in."""
BEYOND = 2**31 - 1
"""The number that stands for the upper bound of the last class, which holds all longer durations."""


class ActivityKey(NamedTuple):
    """The minute, the source and the figure of a stored number."""

    begins: int
    """The minute, as the Unix time of its first second."""
    source: str
    """The source of the messages; for calls, the side that was called."""
    figure: Figure
    bound: int = 0
    """The upper bound of a duration's class in milliseconds; only for a duration."""


class ActivityStore(Protocol):
    """Stores activity, adding to what is stored."""

    def add(self, numbers: Mapping[ActivityKey, int]) -> None:
        """Add numbers to the stored ones; for a peak, keep the larger value."""


class PendingActivity:
    """The activity of this process that is not in the inbox yet; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        """Returns the Unix time."""
        self._lock = threading.Lock()
        self._numbers: Counter[ActivityKey] = Counter()

    def count(self, source: str, figure: Figure, number: int = 1) -> None:
        """Add to a figure of the present minute."""
        if number:
            with self._lock:
                self._numbers[ActivityKey(self._minute(), source, figure)] += number

    def observe(self, source: str, figure: Figure, seconds: Mapping[float, int]) -> None:
        """Count durations that ended now; `seconds` maps each duration to how often it occurred."""
        classes: Counter[int] = Counter()
        for duration, number in seconds.items():
            position = bisect_left(BOUNDS, duration * 1000)
            classes[BOUNDS[position] if position < len(BOUNDS) else BEYOND] += number
        with self._lock:
            minute = self._minute()
            for bound, number in classes.items():
                self._numbers[ActivityKey(minute, source, figure, bound)] += number

    def record_peak(self, source: str, figure: Figure, value: float) -> None:
        """Record a value of a figure in `PEAKS`; the largest value of the minute is stored, and values below 1 are left out."""
        if value >= 1:
            with self._lock:
                key = ActivityKey(self._minute(), source, figure)
                self._numbers[key] = max(self._numbers[key], round(value))

    def flush(self, store: ActivityStore, *, only_complete: bool = True) -> None:
        """Store the finished minutes and, unless `only_complete`, the present one. If storing fails, keep them for the next call."""
        with self._lock:
            minute = self._minute()
            due = {key: number for key, number in self._numbers.items() if key.begins < minute or not only_complete}
            for key in due:
                del self._numbers[key]
        if not due:
            return
        try:
            store.add(due)
        except BaseException:
            with self._lock:
                for key, number in due.items():
                    present = self._numbers[key]
                    self._numbers[key] = max(present, number) if key.figure in PEAKS else present + number
            raise

    def _minute(self) -> int:
        now = int(self._clock())
        return now - now % MINUTE
