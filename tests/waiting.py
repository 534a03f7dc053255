"""Wait for outcomes that stay, never for a time, and with one timeout that suits a busy machine."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds after which a test gives up waiting: far more than a machine needs that runs ten other programs."""

PAUSE = 0.03

_LOWEST_PORT, _PORTS = 10_000, 20_000
"""The lowest port and the number of ports from which free ports are taken: below those that a system assigns to
programs that ask for any port (from 32,768 on Linux)."""


def until(condition: Callable[[], T], description: str = "", seconds: float = PATIENCE, pause: float = PAUSE) -> T:
    """
    Wait until a condition is true, and return its value.

    After the timeout, fail with a description of the condition. The pauses between checks grow to `pause` seconds.
    """
    for seconds_to_wait in _pauses(condition, description, seconds, pause):
        if outcome := condition():
            return outcome
        time.sleep(seconds_to_wait)
    raise AssertionError


async def until_async(condition: Callable[[], T], description: str = "", seconds: float = PATIENCE) -> T:
    """Wait as `until` does, and let other tasks run meanwhile."""
    for pause in _pauses(condition, description, seconds, PAUSE):
        if outcome := condition():
            return outcome
        await asyncio.sleep(pause)
    raise AssertionError


def _pauses(condition: Callable[[], object], description: str, seconds: float, longest: float) -> Iterator[float]:
    """Yield pauses that grow from a millisecond on; fail once the time is over."""
    end = time.monotonic() + seconds
    pause = 0.001
    while time.monotonic() < end:
        yield pause
        pause = min(pause * 1.5, longest)
    subject = description or inspect.getsource(condition).strip()
    raise AssertionError(f"not within {seconds:.0f} s: {subject}")


_numbers = itertools.count()


def free_port() -> int:
    """
    Return a port for a server that is started later.

    Neither servers that ask for any port nor other test processes get this port.
    """
    while True:
        port = _LOWEST_PORT + (os.getpid() * 97 + next(_numbers)) % _PORTS
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
