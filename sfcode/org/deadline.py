"""A deadline for all calls to an org inside a block, for callers that hold a lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float | None] = ContextVar("sfcode_org_until", default=None)


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Limit all calls inside a block to a time of the runtime's clock; no call starts after it."""
    before = _UNTIL.set(moment)
    try:
        yield
    finally:
        _UNTIL.reset(before)


def left(clock: Callable[[], float]) -> float | None:
    """Return how many seconds remain; None without a deadline."""
    moment = _UNTIL.get()
    return None if moment is None else moment - clock()
