"""Until when calls to an org may take: whoever holds something for a limited time says so around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float | None] = ContextVar("sfcode_org_until", default=None)


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Let no exchange with an org inside outlast a moment of the runtime's clock, nor begin after it."""
    before = _UNTIL.set(moment)
    try:
        yield
    finally:
        _UNTIL.reset(before)


def left(clock: Callable[[], float]) -> float | None:
    """Tell how many seconds are left; None: nobody has set a limit."""
    moment = _UNTIL.get()
    return None if moment is None else moment - clock()
