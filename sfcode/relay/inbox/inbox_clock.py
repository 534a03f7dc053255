"""
The inbox's clock, which due times, leases and ages use.

It is the wall clock of the database (on SQLite, of this machine) without its jumps. A wall clock can be set back or forward;
stored messages would then be due hours late, or be claimed by two processes at once. A process detects a jump when the wall
clock and the time since its machine was started, which cannot be set, differ. The sum of all jumps is a setting of the inbox,
so that processes that start later subtract it as well.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOLERANCE = 2.0
"""Seconds that a wall clock may move at once without a jump being noticed: time servers make small corrections."""
DRIFT = 1e-4
"""The share by which a wall clock may be faster or slower than the seconds since the start of a machine."""
EXACT = 0.5
"""Seconds that reading the clock may take for the reading to be compared with later ones."""


class ClockReading(NamedTuple):
    """The wall clock, and the seconds since this machine was started before and after it was read."""

    wall: datetime
    before: float
    after: float


class BootMark(NamedTuple):
    """The inbox's time at a number of seconds after the start of a machine."""

    boot_id: str
    seconds: float
    seen: datetime

    def __str__(self) -> str:
        return f"{self.boot_id} {self.seconds!r} {self.seen.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> BootMark:
        """Parse a stored mark."""
        boot_id, seconds, seen = text.split(" ")
        return cls(boot_id, float(seconds), datetime.fromisoformat(seen))


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

    def __init__(self, boot_id: str = "") -> None:
        self.boot_id = boot_id
        """Names the run of this machine; "" where that is not known."""
        self._lock = threading.Lock()
        self._known: tuple[timedelta, _Offset | None] = (timedelta(), None)

    @property
    def shift(self) -> timedelta:
        """The sum of all jumps that are taken out: the wall clock is ahead by it."""
        return self._known[0]

    def start(self, reading: ClockReading, shift: timedelta, newest: datetime | None, mark: BootMark | None) -> None:
        """
        Go on from the stored sum of jumps, and not before a time that another process has seen.

        A mark of this machine's present run tells what time it is, although the wall clock was set while no process ran.
        """
        now = reading.wall - shift
        if mark is not None and mark.boot_id == self.boot_id and mark.seconds <= reading.before:
            elapsed = reading.before - mark.seconds
            expected = mark.seen + timedelta(seconds=elapsed)
            if abs((expected - now).total_seconds()) > TOLERANCE + DRIFT * elapsed:
                now = expected
        if newest is not None and (newest - now).total_seconds() > TOLERANCE:
            now = newest  # the wall clock was set back while no process ran
        self._known = shift, _offset(now, reading)

    def mark(self, reading: ClockReading, now: datetime) -> BootMark | None:
        """Return what tells the time to a later process of this machine's present run; None after a slow reading."""
        is_exact = bool(self.boot_id) and reading.after - reading.before <= EXACT
        return BootMark(self.boot_id, reading.after, now) if is_exact else None

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

    def now_since_boot(self, seconds: float) -> datetime | None:
        """
        Return the inbox's time so many seconds after the start of this machine, as the last reading says; None before the start.

        It is rather a little early than late: what is due from then on is due to everybody.
        """
        offset = self._known[1]
        return None if offset is None else datetime.fromtimestamp(seconds + offset.least, UTC)

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
