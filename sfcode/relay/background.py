"""Periodic work in the background of a process, which no exception ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.stdlib.get_logger(__name__)


async def repeat(work: Callable[[], Awaitable[None]], seconds: float, event: str) -> None:
    """
    Call `work` until cancelled, with a pause of `seconds` after each call.

    A call that fails is logged as `event`. The next call may succeed, since the database or the org may respond again.
    A task that ended instead would make the relay not ready until it is restarted.
    """
    while True:
        try:
            await work()
        except Exception:
            log.warning(event, exc_info=True)
        await asyncio.sleep(seconds)
