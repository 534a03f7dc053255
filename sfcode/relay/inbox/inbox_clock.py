"""
The inbox's clock, which due times, leases and ages use.

It is the wall clock of the database (on SQLite, of this machine) without its jumps. A wall clock can be set back or forward;
stored messages would then be due hours late, or be claimed by two processes at once. A process detects a jump when the wall
clock and the time since its machine was started, which cannot be set, differ. The sum of all jumps is a setting of the inbox,
so that processes that start later subtract it as well.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import NamedTuple

TOLERANCE = 2.0
"""Seconds that a wall clock may move at once without a jump being noticed: time servers make small corrections."""
EXACT = 0.5
"""Seconds that reading the clock may take for the reading to be compared with later ones."""


class ClockReading(NamedTuple):
    """The wall clock, and the seconds since this machine was started before and after it was read."""

    wall: datetime
    before: float
    after: float


class _Offset(NamedTuple):
    """By how many seconds the inbox's clock is ahead of the seconds since the start of this machine: at least, at most."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    @property
    def width(self) -> float:
        return self.most - self.least


class InboxClock:
    """The inbox's clock as one process knows it. Until it is started it is the wall clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[timedelta, _Offset | None] = (timedelta(), None)

    @property
    def shift(self) -> timedelta:
        """The sum of all jumps that are taken out: the wall clock is ahead by it."""
        return self._known[0]

    def start(self, reading: ClockReading, shift: timedelta, newest: datetime | None) -> None:
        """Go on from the stored sum of jumps, and not before a time that another process has seen."""
        now = reading.wall - shift
        if newest is not None and (newest - now).total_seconds() > TOLERANCE:
            now = newest  # the wall clock was set back while no process ran
        self._known = shift, _offset(now, reading)

    def now(self, reading: ClockReading) -> datetime:
        """Return the inbox's time at a reading, whether or not the wall clock has just jumped."""
        reading_before = shift, offset = self._known
        now = reading.wall - shift
        if offset is None:
            return now
        current = _offset(now, reading)
        if jump := _jump(offset, current):
            return now - timedelta(seconds=jump)
        if current.width <= max(EXACT, offset.width):
            # Both clocks drift, a little in a day.
            with self._lock:
                if self._known is reading_before:
                    self._known = shift, current
        return now

    def jump(self, reading: ClockReading, stored: timedelta) -> float:
        """
        Return the seconds by which the wall clock has jumped beyond a stored sum of jumps; 0 where it has not.

        A machine that stood still, such as one that was paused with all of its clocks, sees a jump forward that is none. It
        is believed once: where another process has changed the sum since, that process knows better.
        """
        shift, offset = self._known
        if offset is None:
            return 0.0
        jump = _jump(offset, _offset(reading.wall - stored, reading))
        return 0.0 if jump > 0 and stored != shift else jump

    def use(self, reading: ClockReading, shift: timedelta) -> None:
        """Go by another sum of jumps, which holds for a reading and from then on."""
        with self._lock:
            self._known = shift, _offset(reading.wall - shift, reading)


def _offset(now: datetime, reading: ClockReading) -> _Offset:
    seconds = now.timestamp()
    return _Offset(seconds - reading.after, seconds - reading.before)


def _jump(before: _Offset, after: _Offset) -> float:
    """Return by how many seconds the offset has moved; 0 where a process that froze while it read the clock explains that."""
    if after.least > before.most + TOLERANCE or after.most < before.least - TOLERANCE:
        return after.middle - before.middle
    return 0.0
