"""After a failure that is not one message's, wait before the next call: a backlog is not spent on an org that does not work."""

from __future__ import annotations

FIRST = 0.25
LONGEST = 30.0
"""Seconds: a lost field permission, which is tried again after minutes, costs two calls a minute meanwhile."""


class Breaker:
    """How long to wait, from how often it has failed in a row."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    def failed(self, now: float, after: float | None) -> None:
        """Take down a failure, and the time that was named with it."""
        self._failures += 1
        wait = FIRST * 2 ** min(self._failures - 1, 10)
        self._until = now + min(LONGEST, max(after or 0.0, wait))

    def worked(self) -> None:
        """Take down an answer."""
        self._failures = 0
        self._until = 0.0

    def left(self, now: float) -> float:
        """Tell how many seconds to wait before the next call."""
        return max(0.0, self._until - now)
