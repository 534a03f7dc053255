"""Test whether processes of this machine run, and lock files, on POSIX and Windows."""

from __future__ import annotations

import os
import sys
from importlib import import_module


def is_running(pid: int) -> bool:
    """Return whether a process with this ID runs on this machine, of any user."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        # On Windows, os.kill ends the process for any signal.
        return bool(import_module("psutil").pid_exists(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, at the latest when the process ends; return False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            windows = import_module("msvcrt")
            windows.locking(descriptor, windows.LK_NBLCK, 1)
        else:
            posix = import_module("fcntl")
            posix.flock(descriptor, posix.LOCK_EX | posix.LOCK_NB)
    except OSError:
        return False
    return True
