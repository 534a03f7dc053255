"""The processes of this machine."""

from __future__ import annotations

import os
import sys
from importlib import import_module


def is_running(pid: int) -> bool:
    """Return whether a process with this id runs on this machine, of any user."""
    if pid <= 0:
        return False
    if sys.platform == "win32":  # pragma: no cover
        # There, os.kill ends the process, whatever the signal.
        return bool(import_module("psutil").pid_exists(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
