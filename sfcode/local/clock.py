"""Time, as the local org is given it: tests turn it, the server reads the machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Return the time, with its zone."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)


class TurnedClock:
    """A clock that is ahead of another one by as much as it was turned."""

    KEY = "clock.offset"
    """The setting of the org that remembers it, in seconds."""

    def __init__(self, clock: Clock, offset: timedelta = timedelta()) -> None:
        self._clock = clock
        self.offset = offset

    def now(self) -> datetime:
        """Return the time, with its zone."""
        return self._clock.now() + self.offset

    def advance(self, by: timedelta) -> None:
        """Turn it on."""
        self.offset += by


def stamp(moment: datetime) -> str:
    """Write a moment as REST does: `2026-09-09T00:41:57.000+0000`. In this form, text order is time order."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
