"""
The inbox's clock, which due times, leases and ages use.

It is the wall clock of the database (on SQLite, of this machine) without jumps. A wall clock can be set back or forward;
stored messages would then be due hours late, or be claimed by two processes at once. A process detects a jump by
comparing the wall clock with the time since boot, which cannot be set. The sum of all jumps is a setting of the inbox, so that
processes that start later subtract it as well.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOLERANCE = 2.0
"""Seconds that a wall clock may move at once without counting as a jump, since time servers make small corrections."""
DRIFT = 1e-4
"""The largest relative drift between the wall clock and the boot clock."""
EXACT = 0.5
"""The longest duration of a reading, in seconds, with which later readings can be compared."""


class ClockReading(NamedTuple):
    """A reading of the wall clock, with the seconds since boot immediately before and after it."""

    wall: datetime
    before: float
    after: float


class BootMark(NamedTuple):
    """The inbox's time at a number of seconds after the boot of a machine."""

    boot_id: str
    seconds: float
    seen: datetime

    def __str__(self) -> str:
        return f"{self.boot_id} {self.seconds!r} {self.seen.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> BootMark:
        """Parse a stored mark."""
        boot_id, seconds, time = text.split(" ")
        return cls(boot_id, float(seconds), datetime.fromisoformat(time))


class _Offset(NamedTuple):
    """Lower and upper bound of the difference between the inbox's clock and the seconds since boot."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    @property
    def width(self) -> float:
        return self.most - self.least


class InboxClock:
    """The inbox's clock in one process. Before `start` it equals the wall clock."""

    def __init__(self, boot_id: str = "") -> None:
        self.boot_id = boot_id
        """The ID of this machine's current boot; "" if unknown."""
        self._lock = threading.Lock()
        self._known: tuple[timedelta, _Offset | None] = (timedelta(), None)

    @property
    def shift(self) -> timedelta:
        """The sum of all removed jumps, by which the wall clock is ahead of the inbox's clock."""
        return self._known[0]

    def start(self, reading: ClockReading, shift: timedelta, newest: datetime | None, mark: BootMark | None) -> None:
        """
        Start from the stored sum of jumps, and not before a time that another process has stored.

        A mark of this machine's current boot gives the time even if the wall clock was set while no process ran.
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
        """Return a mark for processes that start later in this machine's current boot; None after a slow reading."""
        is_exact = bool(self.boot_id) and reading.after - reading.before <= EXACT
        return BootMark(self.boot_id, reading.after, now) if is_exact else None

    def now(self, reading: ClockReading) -> datetime:
        """Return the inbox's time at a reading, also if the wall clock has just jumped."""
        reading_before = shift, offset = self._known
        now = reading.wall - shift
        if offset is None:
            return now
        current = _offset(now, reading)
        if jump := _jump(offset, current):
            return now - timedelta(seconds=jump)
        if current.width <= max(EXACT, offset.width):
            # Both clocks drift slightly.
            with self._lock:
                if self._known is reading_before:
                    self._known = shift, current
        return now

    def now_since_boot(self, seconds: float) -> datetime | None:
        """
        Return the inbox's time at a number of seconds since boot, estimated from the last reading; None before `start`.

        The estimate is never late, so that a message which is due by it is due for every process.
        """
        offset = self._known[1]
        return None if offset is None else datetime.fromtimestamp(seconds + offset.least, UTC)

    def jump(self, reading: ClockReading, stored: timedelta) -> float:
        """
        Return the seconds by which the wall clock has jumped beyond a stored sum of jumps; 0 if it has not.

        If a machine was suspended and its boot clock stopped, the wall clock seems to have jumped forward. A jump forward is
        counted only if the stored sum is the one that this process knows.
        """
        shift, offset = self._known
        if offset is None:
            return 0.0
        jump = _jump(offset, _offset(reading.wall - stored, reading))
        return 0.0 if jump > 0 and stored != shift else jump

    def use(self, reading: ClockReading, shift: timedelta) -> None:
        """Use another sum of jumps from a reading on."""
        with self._lock:
            self._known = shift, _offset(reading.wall - shift, reading)


def _offset(now: datetime, reading: ClockReading) -> _Offset:
    seconds = now.timestamp()
    return _Offset(seconds - reading.after, seconds - reading.before)


def _jump(before: _Offset, after: _Offset) -> float:
    """Return by how many seconds the offset has moved; 0 if the duration of the readings can explain the difference."""
    if after.least > before.most + TOLERANCE or after.most < before.least - TOLERANCE:
        return after.middle - before.middle
    return 0.0
