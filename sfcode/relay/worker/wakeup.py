"""Wake workers when messages are accepted."""

from __future__ import annotations

import asyncio
import contextlib


class Wakeup:
    """
    Wakes waiting tasks.

    A task reads `now` before it looks for work, so that it does not miss a `wake` that is called in the meantime.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def now(self) -> asyncio.Event:
        """The event that the next `wake` sets."""
        return self._event

    def wake(self) -> None:
        """Wake all waiting tasks."""
        self._event.set()
        self._event = asyncio.Event()


async def wait_for_wakeup(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for at most `seconds`; return whether it was set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
