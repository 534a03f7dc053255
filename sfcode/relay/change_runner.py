"""Run the bulk changes of the inbox one after another: those of this process, and unfinished ones of other processes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from sfcode.errors import SfcodeError

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox
    from sfcode.relay.inbox.types import ChangeAction, Filter

log = structlog.stdlib.get_logger(__name__)

LEAVE_SECONDS = 3.0
"""Seconds that a stopping process waits for the current step of a bulk change."""


class BulkChangeRunner:
    """Runs bulk changes in a separate thread of one process."""

    def __init__(self, inbox: Inbox, name: str) -> None:
        self._inbox = inbox
        self._name = name
        self._is_stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bulk-change")
        self._running = threading.Lock()

    def begin(self, action: ChangeAction, choice: Filter, who: str) -> int:
        """Begin a replay or a discard of the messages that match a filter; return the ID of the bulk change."""
        id_ = self._inbox.begin_change(action, choice, who)
        self._submit()
        return id_

    def wake(self) -> None:
        """Run bulk changes that no process is running, unless this process is running one already."""
        if not self._running.locked():
            self._submit()

    def stop(self) -> None:
        """Stop after the current step; another process continues the change."""
        self._is_stopping.set()
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._running.acquire(timeout=LEAVE_SECONDS):
            self._running.release()

    def _submit(self) -> None:
        with suppress(RuntimeError):  # the process is stopping
            self._thread.submit(self._run)

    def _run(self) -> None:
        with self._running:
            self._run_all()

    def _run_all(self) -> None:
        changes = self._inbox.bulk_changes
        try:
            while not self._is_stopping.is_set() and (change := changes.take(self._name)):
                try:
                    changes.run(change.id, self._name, lambda _: not self._is_stopping.is_set())
                except SfcodeError:
                    raise
                except Exception as error:
                    log.exception("bulk_change_failed", change=change.id)
                    changes.end(change.id, self._name, f"{type(error).__name__}.")
        except Exception:  # the database is unavailable, or a row is locked; the change is taken again later
            log.warning("bulk_change_waits", exc_info=True)
