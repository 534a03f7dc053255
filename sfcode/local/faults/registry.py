"""The faults that are armed in one server."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from typing import Any

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.faults.fault import InjectedFault


@dataclass
class Armed:
    """An armed fault, and how often it has applied."""

    id: int
    fault: InjectedFault
    seen: int = 0
    """The number of matching requests."""
    hits: int = 0
    """The number of requests to which the fault has applied."""
    rng: random.Random = field(default_factory=random.Random)

    @property
    def left(self) -> int | None:
        """The number of times that the fault will still apply; None for no limit."""
        most = self.fault.max_times
        return None if most is None else most - self.hits

    def count_match(self) -> bool:
        """Count a matching request and return whether the fault applies to it."""
        self.seen += 1
        if self.left == 0 or self.seen <= self.fault.skip or (self.seen - self.fault.skip) % self.fault.every:
            return False
        if self.rng.random() >= self.fault.probability:
            return False
        self.hits += 1
        return True

    def json(self) -> dict[str, Any]:
        """Return the fault in the form of the control route."""
        return {"id": self.id, **self.fault.json(), "left": self.left, "seen": self.seen, "hits": self.hits}


class Faults:
    """The armed faults of one server, in the order in which they were armed. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Armed] = []
        self._last = 0

    def arm(self, fault: InjectedFault) -> Armed:
        """Arm a fault."""
        with self._lock:
            self._last += 1
            entry = Armed(self._last, fault, rng=random.Random(fault.seed))  # noqa: S311 (a fault can be repeated)
            self._armed.append(entry)
            return entry

    def list(self) -> list[dict[str, Any]]:
        """List the armed faults, including exhausted ones."""
        with self._lock:
            return [entry.json() for entry in self._armed]

    def clear(self, ids: Iterable[int] | None = None) -> int:
        """Disarm some faults, or all; return their number."""
        with self._lock:
            disarmed_ids = set(ids) if ids is not None else {entry.id for entry in self._armed}
            before = len(self._armed)
            self._armed = [entry for entry in self._armed if entry.id not in disarmed_ids]
            return before - len(self._armed)

    def take(self, kind: str, *, path: str = "", method: str = "", object_name: str = "") -> InjectedFault | None:
        """Return the fault of a kind that applies now, if there is one."""
        if not self._armed:
            return None
        with self._lock:
            for entry in self._armed:
                if entry.fault.kind == kind and entry.fault.fits(path, method, object_name) and entry.count_match():
                    return entry.fault
        return None
