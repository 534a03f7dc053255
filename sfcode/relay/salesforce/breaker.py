"""Wait after a failure that no message has caused, so that an outage of the org does not use up the attempts of a backlog."""

from __future__ import annotations

FIRST = 0.25
LONGEST = 30.0
LONGEST_ASKED = 3600.0
"""The longest wait in seconds that the org can ask for. All other waits are limited by `LONGEST`, so that there are two
calls per minute during an outage."""


class MappingHolds:
    """The waits of mappings that the org refused, for example because an object does not exist yet."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def hold(self, mapping: str, now: float) -> None:
        """Hold a mapping for `LONGEST` seconds."""
        self._until[mapping] = now + LONGEST

    def seconds_left(self, mapping: str, now: float) -> float:
        """Return the seconds until the hold of a mapping ends."""
        return max(0.0, self._until.get(mapping, 0.0) - now)


class Breaker:
    """Computes the wait from the number of failures in a row."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    def record_failure(self, now: float, after: float | None, retry_after: float | None = None) -> float:
        """
        Count a failure, and return the seconds to wait.

        `after` is the wait for its error code, `retry_after` the value of the org's Retry-After header.
        """
        self._failures += 1
        wait = FIRST * 2.0 ** min(self._failures - 1, 10)
        seconds = max(min(LONGEST, max(after or 0.0, wait)), min(LONGEST_ASKED, retry_after or 0.0))
        self._until = now + seconds
        return seconds

    def record_success(self) -> bool:
        """Reset after a success; return whether it ended a series of failures."""
        has_failed = self._failures > 0
        self._failures, self._until = 0, 0.0
        return has_failed

    def seconds_left(self, now: float) -> float:
        """Return the seconds to wait before the next call."""
        return max(0.0, self._until - now)
