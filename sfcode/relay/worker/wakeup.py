"""How workers hear that there is work: rung by who accepts a message, else looked at now and then."""

from __future__ import annotations

import asyncio
import contextlib


class Wakeup:
    """
    Wakes whoever waits.

    Whoever means to wait takes `now` before looking for work, so that a ring in between is not missed.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def now(self) -> asyncio.Event:
        """The event that the next ring sets."""
        return self._event

    def wake(self) -> None:
        """Wake everybody."""
        self._event.set()
        self._event = asyncio.Event()


async def wait_for_wakeup(event: asyncio.Event, seconds: float) -> bool:
    """Wait for a ring, not longer than so many seconds; tell whether it rang."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
