"""
Requests to the org's API, counted by mapping and purpose, and the project's own request budget.

Each response is counted in memory, in the thread that sent the request; the inbox gets one write per heartbeat.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from sfcode.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sfcode.config.notify_models import AlarmName

LOW_AT = 0.8
"""The share of the budget at which the alarm for a low budget is raised."""
LEVELS: tuple[AlarmName, ...] = ("api_budget_low", "api_budget_used")
"""The alarm for a budget of which `LOW_AT` is used, and the alarm for one that is used up."""
LOOK_AGAIN = 300.0
"""Seconds after which a delivery that waits for the budget checks the budget again."""


class ApiUse(NamedTuple):
    """The direction, the mapping and the purpose of a request."""

    direction: Literal["to_salesforce", "to_appcues", ""]
    mapping: str
    """"" if the request is for several mappings, or for none."""
    purpose: str
    """The operation of a delivery, such as `upsert`, or the job, such as `reconcile`."""


class ApiCallCount(NamedTuple):
    """The number of requests with the same direction, mapping and purpose."""

    use: ApiUse
    number: int


_OTHER = ApiUse("", "", "other")
_current: ContextVar[ApiUse] = ContextVar("api_use", default=_OTHER)


@contextmanager
def using_api(
    purpose: str, mapping: str | None = None, direction: Literal["to_salesforce", "to_appcues", ""] = "to_appcues"
) -> Iterator[None]:
    """
    Count the requests of the block under a purpose, a mapping and a direction.

    Requests of threads that the block starts are included. Without a `mapping`, that of the outer block applies.
    """
    token = _current.set(ApiUse(direction, _current.get().mapping if mapping is None else mapping, purpose))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def for_mappings(names: Iterable[str]) -> Iterator[None]:
    """Count the requests of the block under the only mapping in `names`; under no mapping if there are several."""
    distinct = set(names)
    token = _current.set(_current.get()._replace(mapping=distinct.pop() if len(distinct) == 1 else ""))
    try:
        yield
    finally:
        _current.reset(token)


class ApiCallStore(Protocol):
    """Stores numbers of requests, adding to what is stored."""

    def add(self, numbers: Mapping[ApiUse, int]) -> None:
        """Add numbers of requests to those of this hour."""


class PendingApiCalls:
    """The requests of this process that are not in the inbox yet; safe to use from any thread."""

    def __init__(self, counted: Callable[[ApiUse], object] = lambda _: None) -> None:
        self.counted = counted
        """Called for each request."""
        self._lock = threading.Lock()
        self._numbers: Counter[ApiUse] = Counter()

    def count(self) -> None:
        """Count a request under the purpose that `using_api` has set."""
        use = _current.get()
        with self._lock:
            self._numbers[use] += 1
        self.counted(use)

    @property
    def number(self) -> int:
        """The number of requests that are not stored yet."""
        with self._lock:
            return self._numbers.total()

    def flush(self, store: ApiCallStore) -> None:
        """Store the numbers of requests. If storing fails, keep them for the next call."""
        with self._lock:
            due, self._numbers = self._numbers, Counter()
        if not due:
            return
        try:
            store.add(due)
        except BaseException:
            with self._lock:
                self._numbers += due
            raise


@dataclass
class ApiBudget:
    """The project's own limit of requests in 24 hours, over all processes."""

    limit: Callable[[], int | None]
    """`relay.api_calls_per_day`; None for no limit."""
    raise_alarm: Callable[[AlarmName, str], None]
    pending: PendingApiCalls = field(default_factory=PendingApiCalls)
    stored: int = 0
    """Requests of the last 24 hours that the inbox has counted, of all processes."""
    _level: int = 0

    @property
    def used(self) -> int:
        """Requests of the last 24 hours, as far as this process knows."""
        return self.stored + self.pending.number

    @property
    def is_used_up(self) -> bool:
        """Whether the budget is used up, so that deliveries wait until older requests are 24 hours old."""
        limit = self.limit()
        return limit is not None and self.used >= limit

    def update(self, stored: int) -> None:
        """
        Update the count from the inbox, and raise an alarm if the budget is low or used up.

        The alarm is not raised again before the budget has recovered.
        """
        self.stored = stored
        limit = self.limit()
        used = self.used
        level = 0 if limit is None else (used >= limit * LOW_AT) + (used >= limit)
        for name in LEVELS[self._level : level]:
            self.raise_alarm(name, f"relay.api_calls_per_day is {limit:,}")
        self._level = level
