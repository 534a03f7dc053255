"""Replays and discards of many messages that were started on a page, with their progress."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, get_args

import structlog

from sfcode.errors import Refused, SfcodeError
from sfcode.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sfcode.relay.dashboard.messages import Search
    from sfcode.relay.inbox import Inbox

log = structlog.stdlib.get_logger(__name__)

ChangeAction = Literal["replay", "discard"]
ACTIONS: tuple[ChangeAction, ...] = get_args(ChangeAction)
MOST_KEPT = 50
"""Changes that a process keeps in memory; older ones are dropped. The audit has all of them."""


@dataclass(slots=True)
class BulkChange:
    """A replay or discard of many messages that was started."""

    action: ChangeAction
    search: Search
    who: str
    total: int
    """How many messages matched when the change was confirmed."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    done: int = 0
    has_ended: bool = False
    problem: str = ""
    """Why the change ended early; "" if it did not."""


class BulkChanges:
    """The changes of this process, one at a time."""

    def __init__(self, inbox: Inbox, is_stopping: Callable[[], bool]) -> None:
        self._inbox = inbox
        self._is_stopping = is_stopping
        self._lock = threading.Lock()
        self._changes: dict[str, BulkChange] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bulk-change")

    def begin(self, change: BulkChange) -> None:
        """Begin a change."""
        with self._lock:
            self._changes[change.id] = change
            if len(self._changes) > MOST_KEPT:
                del self._changes[next(iter(self._changes))]
        self._thread.submit(self._run, change)

    def find(self, id_: str) -> BulkChange | None:
        """Return a change; None if another process started it, or if it was dropped."""
        return self._changes.get(id_)

    def _run(self, change: BulkChange) -> None:
        def report(done: int) -> None:
            change.done = done
            if self._is_stopping():
                raise Refused("The relay process stops.")

        work: Callable[..., int] = self._inbox.replay if change.action == "replay" else self._inbox.discard
        try:
            change.done = work(change.search.parse(), change.who, report)
        except SfcodeError as error:
            change.problem = error.message
        except Exception as error:
            log.exception("bulk_change_failed")
            change.problem = type(error).__name__
        finally:
            change.has_ended = True
