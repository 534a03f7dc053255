"""
Limit the rate of requests to Appcues: an account has 60 per second for all its users.

https://github.com/appcues/cli
"""

from __future__ import annotations

from collections.abc import Callable

from aiolimiter import AsyncLimiter

AT_ONCE = 0.1
"""The size of a burst, as seconds of requests; a burst adds to the rate in the first second."""
SLOWEST = 0.1
"""The lowest rate, in requests per second."""


class RateLimit:
    """Limits requests to a rate that may change, and pauses all of them when Appcues asks for it."""

    def __init__(self, rate: Callable[[], float], clock: Callable[[], float]) -> None:
        self._rate_now = rate
        self._clock = clock
        self._rate = 0.0
        self._limiter = AsyncLimiter(1, 1)
        self._until = 0.0

    @property
    def rate(self) -> float:
        """Requests per second at present."""
        return max(self._rate_now(), SLOWEST)

    async def acquire(self) -> None:
        """Wait until one more request may be sent."""
        rate = self.rate
        if rate != self._rate:
            burst = max(1.0, rate * AT_ONCE)
            self._rate, self._limiter = rate, AsyncLimiter(burst, burst / rate)
        await self._limiter.acquire()

    def pause(self, seconds: float) -> None:
        """Send no request for a number of seconds."""
        self._until = max(self._until, self._clock() + seconds)

    @property
    def pause_left(self) -> float:
        """Seconds until the pause ends."""
        return max(0.0, self._until - self._clock())
