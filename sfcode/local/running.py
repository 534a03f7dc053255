"""Find the server of a local org that runs already: it holds a lock, and has written down where it answers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK_FILE = "serving.lock"
ADDRESS_FILE = "serving.json"
PROBES, PROBE_SECONDS = 10, 0.01
"""How often the lock is tried: somebody who looks for a server holds it for an instant."""


@dataclass(frozen=True)
class RunningOrg:
    """Where a running server answers, and the access token of the org's administrator."""

    url: str
    access_token: str


@contextlib.contextmanager
def announce(state: Path, url: str, access_token: str) -> Iterator[None]:
    """Let `find_running` find a server until it stops, unless another one serves the same org."""
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
    """Return the running server of the org whose state is in a folder; None where none runs."""
    try:
        with (state / LOCK_FILE).open("r+", encoding="utf-8") as lock:
            if _try_lock(lock.fileno()):
                return None  # the server that held it has ended
        return RunningOrg(**json.loads((state / ADDRESS_FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _lock(descriptor: int) -> bool:
    for _ in range(PROBES):
        if _try_lock(descriptor):
            return True
        time.sleep(PROBE_SECONDS)
    return False


def _try_lock(descriptor: int) -> bool:
    """Lock a file until it is closed; the end of the process closes it, however it ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
