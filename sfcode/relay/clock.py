"""The clock for leases and deadlines."""

from __future__ import annotations

import time
from pathlib import Path


def boot_time() -> float:
    """
    Return the seconds of a clock that cannot be set, and that runs also while the machine sleeps.

    On Linux, `time.monotonic` stops during sleep, so that a process would rely on a lease that has ended.
    """
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


def read_boot_id() -> str:
    """Return an ID of the machine's current boot; "" if the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


# On macOS CLOCK_MONOTONIC runs also while the machine sleeps.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
