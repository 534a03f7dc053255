"""The clock that leases and deadlines go by."""

from __future__ import annotations

import time
from pathlib import Path


def boot_time() -> float:
    """
    Return the seconds of a clock that cannot be set and that continues while the machine sleeps.

    On Linux, `time.monotonic` stops during sleep, so that a process would rely on a lease that has ended.
    """
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


def read_boot_id() -> str:
    """Return what names the present run of this machine, from its start on; "" where the system does not tell it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


# On macOS it is CLOCK_MONOTONIC that runs on.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
