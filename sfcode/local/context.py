"""The context of every route of the local org."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local import auth
from sfcode.local.auth import UserSession
from sfcode.local.clock import Clock, SystemClock
from sfcode.local.faults import Faults
from sfcode.local.store import Store

PER_DAY = 100_000
DAY = timedelta(hours=24)


class RequestCounter:
    """Counts the requests of periods of 24 hours while the server runs. Safe to use from many threads."""

    def __init__(self, limit: int = PER_DAY) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._count = 0

    def count(self, now: datetime) -> None:
        """Count one request."""
        with self._lock:
            self._roll(now)
            self._count += 1

    def count_used(self, now: datetime) -> int:
        """Return the number of requests in the current period of 24 hours."""
        with self._lock:
            self._roll(now)
            return self._count

    def _roll(self, now: datetime) -> None:
        if self._since is None or now - self._since >= DAY:
            self._since, self._count = now, 0


@dataclass(frozen=True)
class OrgContext:
    """The store, clock and random generator of one local org."""

    store: Store
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.SystemRandom)
    faults: Faults = field(default_factory=Faults)
    usage: RequestCounter = field(default_factory=RequestCounter)

    def find_session(self, token: str | None) -> UserSession | None:
        """Find the session of an access token and prolong it; None if there is none, as for an expired token."""
        if not token:
            return None
        now = self.clock.now()
        with self.store.read() as tx:
            session, row = auth.find_session(tx, token, now), tx.sessions.get(token)
        if session is not None and row is not None and row.is_half_expired(now):
            with self.store.transaction() as tx:
                tx.sessions.prolong(row, now=now)
        return session
