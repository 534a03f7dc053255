"""Find the running server of a local org, which holds a lock and has stored its URL."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sfcode.hosts import is_loopback
from sfcode.lazy_dataclasses import asdict, dataclass
from sfcode.process import try_lock

LOCK_FILE = "serving.lock"
ADDRESS_FILE = "serving.json"
PROBES, PROBE_SECONDS = 10, 0.01
"""The attempts to get the lock, and the seconds between them. Others hold it briefly while they look for a server."""


@dataclass(frozen=True)
class RunningOrg:
    """The URL of a running server, and the access token of the org's administrator."""

    url: str
    access_token: str


@contextlib.contextmanager
def announce(state: Path, url: str, access_token: str) -> Iterator[None]:
    """Let `find_running` return this server until the block ends, unless another one serves the same org."""
    address = state / ADDRESS_FILE
    with (state / LOCK_FILE).open("w", encoding="utf-8") as lock:
        if not _lock(lock.fileno()):
            yield
            return
        address.unlink(missing_ok=True)
        descriptor = os.open(address, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(RunningOrg(url, access_token)), file)
        try:
            yield
        finally:
            address.unlink(missing_ok=True)


def find_running(state: Path) -> RunningOrg | None:
    """
    Return the running server of the org whose state is in a folder; None if it is not served.

    A command sends the project's secrets to the address in the file. The address must therefore be on this machine, and
    only the user may have access to the file, which excludes files of a clone with their usual permissions.
    """
    try:
        with (state / LOCK_FILE).open("r+", encoding="utf-8") as lock:
            if try_lock(lock.fileno()):
                return None  # the server that held the lock has ended
        with (state / ADDRESS_FILE).open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            org = RunningOrg(**json.load(file))
        is_private = status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077
        return org if is_private and is_loopback(urlsplit(org.url).hostname or "") else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _lock(descriptor: int) -> bool:
    for _ in range(PROBES):
        if try_lock(descriptor):
            return True
        time.sleep(PROBE_SECONDS)
    return False
