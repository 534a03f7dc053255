"""The number of API requests of the last 24 hours."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

PER_DAY = 100_000
DAY = timedelta(hours=24)


class RequestCounter:
    """Counts requests over 24 hours while the server runs. Safe to use from many threads."""

    def __init__(self, limit: int = PER_DAY) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._count = 0

    def count(self, now: datetime) -> None:
        """Count one request."""
        with self._lock:
            self._roll(now)
            self._count += 1

    def used(self, now: datetime) -> int:
        """Return the number of requests."""
        with self._lock:
            self._roll(now)
            return self._count

    def _roll(self, now: datetime) -> None:
        if self._since is None or now - self._since >= DAY:
            self._since, self._count = now, 0
