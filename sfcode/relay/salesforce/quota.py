"""Limit the relay's share of the org's daily API requests: slow down, then stop, and leave the rest to other clients."""

from __future__ import annotations

from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuotaBounds:
    """The shares of the daily limit at which the relay slows down and stops."""

    slow_at: float = 0.80
    stop_at: float = 0.95
    spread: float = 3600.0
    """The time in seconds for which the requests between `slow_at` and `stop_at` should last."""
    longest: float = 10.0
    """The longest wait before a call, in seconds."""
    ask_again: float = 300.0
    """Seconds between two requests of /limits while delivery has stopped."""


def delay(used: int, limit: int, bounds: QuotaBounds) -> float | None:
    """Return the seconds to wait before the next call; None to stop."""
    if limit <= 0 or used < limit * bounds.slow_at:
        return 0.0
    remaining_requests = limit * bounds.stop_at - used
    return min(bounds.longest, bounds.spread / remaining_requests) if remaining_requests >= 1 else None


class Quota:
    """The known usage, and when it was last read from the org."""

    def __init__(self, bounds: QuotaBounds) -> None:
        self.bounds = bounds
        self._exceeded = False
        self._asked: float | None = None

    def record_exceeded(self) -> None:
        """Record that the org refused a call because the limit is exceeded."""
        self._exceeded = True

    def record_answer(self) -> None:
        """Record that the usage was read from the org."""
        self._exceeded = False

    def delay(self, used: int, limit: int) -> float | None:
        """Return the seconds to wait before the next call; None to stop."""
        return None if self._exceeded else delay(used, limit, self.bounds)

    def may_ask(self, now: float) -> bool:
        """Return whether the usage should be read again, and record the reading."""
        if self._asked is not None and now - self._asked < self.bounds.ask_again:
            return False
        self._asked = now
        return True

    def wait(self, now: float) -> float:
        """Return the seconds until the usage may be read from the org again."""
        return self.bounds.ask_again if self._asked is None else max(1.0, self._asked + self.bounds.ask_again - now)
