"""Carry out the bulk changes of the inbox: one at a time in this process, and those that another process left."""

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
"""How long a process that stops waits for a step that is under way."""


class BulkChangeRunner:
    """Runs the bulk changes that one process takes."""

    def __init__(self, inbox: Inbox, name: str) -> None:
        self._inbox = inbox
        self._name = name
        self._is_stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bulk-change")
        self._running = threading.Lock()

    def begin(self, action: ChangeAction, choice: Filter, who: str) -> int:
        """Begin a change of a selection; return its id."""
        id_ = self._inbox.begin_change(action, choice, who)
        self._submit()
        return id_

    def wake(self) -> None:
        """Look for changes that nobody is at, unless this process is at one."""
        if not self._running.locked():
            self._submit()

    def stop(self) -> None:
        """End after the step that is under way, and leave the rest to other processes."""
        self._is_stopping.set()
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._running.acquire(timeout=LEAVE_SECONDS):
            self._running.release()

    def _submit(self) -> None:
        with suppress(RuntimeError):  # it stops
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
        except Exception:  # the database is away, or a row is locked: the change is taken again
            log.warning("bulk_change_waits", exc_info=True)
