"""Processes, file locks and limits of this machine, on POSIX and Windows."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from sfcode.errors import SfcodeError

FILES = 4096
"""Open files of a server: its connections, and some for databases, Salesforce and Appcues."""

FEWEST_FILES = 64
"""The number of open files without which a server cannot serve a plan: sockets of both sides, databases, modules."""

RAISE_LIMIT = "Raise the limit of open files, as with `ulimit -n 256`."


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


def raise_file_limit() -> None:
    """
    Raise this process's limit of open files for a server, as far as the machine allows; the default is often 1,024.

    Raises:
        SfcodeError: The machine allows too few. A server that cannot accept a connection would repeat it forever.

    """
    if sys.platform == "win32":
        return
    resource = import_module("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if most < FEWEST_FILES:
        raise SfcodeError(f"A process may open {most} files here, and a server needs {FEWEST_FILES}.", RAISE_LIMIT)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
