"""The rate limit of an account."""

from __future__ import annotations

import math
import threading


class Bucket:
    """A token bucket that holds the requests of one second, at least one. Times are in seconds."""

    def __init__(self, rate: float | None, now: float) -> None:
        self._lock = threading.Lock()
        self.turn(rate, now)

    @property
    def rate(self) -> float | None:
        """Requests per second; None: any number."""
        return self._rate

    def turn(self, rate: float | None, now: float) -> None:
        """Set another rate and fill the bucket."""
        with self._lock:
            self._rate, self._most, self._at = rate, max(rate or 0.0, 1.0), now
            self._left = self._most

    def wait(self, now: float) -> int:
        """Take one request and return 0, or return the whole seconds until there is room for it."""
        with self._lock:
            if self._rate is None:
                return 0
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left >= 1:
                self._left -= 1
                return 0
            return math.ceil((1 - self._left) / self._rate)
