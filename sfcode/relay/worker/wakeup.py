"""Wake workers when messages were accepted."""

from __future__ import annotations

import asyncio
import contextlib


class Wakeup:
    """
    Wakes the tasks that wait.

    A waiter takes `now` before it looks for work, so that a ring in between is not missed.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def now(self) -> asyncio.Event:
        """The event that the next `wake` sets."""
        return self._event

    def wake(self) -> None:
        """Wake everybody."""
        self._event.set()
        self._event = asyncio.Event()


async def wait_for_wakeup(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for at most that many seconds; return whether it was set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
