"""A deadline for calls to an org, such as the end of a lease, which transport and retries observe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float | None] = ContextVar("sfcode_org_until", default=None)


@contextmanager
def set_deadline(moment: float) -> Iterator[None]:
    """Set the deadline of all calls to an org in a block, in seconds of the runtime's clock."""
    before = _UNTIL.set(moment)
    try:
        yield
    finally:
        _UNTIL.reset(before)


def remaining_seconds(clock: Callable[[], float]) -> float | None:
    """Return the seconds until the deadline; None when there is none."""
    moment = _UNTIL.get()
    return None if moment is None else moment - clock()
