"""Delayed deploys: they start after a number of status requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Held:
    polls: int
    left: int
    begin: Callable[[], None]


class DelayedDeploys:
    """The deploys of one server that have not started. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def hold(self, deploy_id: str, polls: int, begin: Callable[[], None]) -> None:
        """Delay a deploy until its status was requested a number of times."""
        with self._lock:
            self._held[deploy_id] = _Held(polls, polls, begin)

    def poll(self, deploy_id: str) -> str | None:
        """Count a status request and return the status, `Pending` or later `InProgress`; None if the deploy is not delayed."""
        with self._lock:
            held = self._held.get(deploy_id)
            if held is None:
                return None
            held.left -= 1
            if held.left >= 0:
                return "Pending" if held.left >= held.polls // 2 else "InProgress"
            del self._held[deploy_id]
        held.begin()
        return None

    def drop(self, deploy_id: str) -> bool:
        """Cancel a delayed deploy; return whether it was waiting."""
        with self._lock:
            return self._held.pop(deploy_id, None) is not None
