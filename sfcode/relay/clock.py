"""The clock that leases and deadlines go by."""

from __future__ import annotations

import time


def boot_time() -> float:
    """
    Return seconds on a clock that nobody sets and that runs on while the machine sleeps.

    `time.monotonic` stands still meanwhile on Linux, so that a process would believe in a lease that is over.
    """
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


# On macOS it is CLOCK_MONOTONIC that runs on.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
