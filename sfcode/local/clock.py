"""The clock of the local org: the system clock, or one that a test advances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Return the time, with its zone."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)


class OffsetClock:
    """A clock that is ahead of another one by a given duration."""

    KEY = "clock.offset"
    """The setting of the org that stores the offset in seconds."""

    def __init__(self, clock: Clock, offset: timedelta = timedelta()) -> None:
        self._clock = clock
        self.offset = offset

    def now(self) -> datetime:
        """Return the time, with its zone."""
        return self._clock.now() + self.offset

    def advance(self, by: timedelta) -> None:
        """Advance the clock."""
        self.offset += by


def audit_stamp(moment: datetime) -> str:
    """Format the time of a change as an org stores it: in whole seconds."""
    return stamp(moment.replace(microsecond=0))


def stamp(moment: datetime) -> str:
    """Format a time as REST does: `2026-09-09T00:41:57.000+0000`. In this form, text order is time order."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
