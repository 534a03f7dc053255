"""One request to the local Appcues, and its responses."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.appcues.state import AccountState
from sfcode.local.clock import Clock
from sfcode.local.faults import Faults


@dataclass(frozen=True)
class Account:
    """State, time, faults and limits of one local Appcues."""

    state: AccountState
    clock: Clock
    bucket: Bucket
    faults: Faults = field(default_factory=Faults)
    rng: random.Random = field(default_factory=random.SystemRandom)


@dataclass(frozen=True, slots=True)
class AppcuesCall:
    """A request that passed all checks: the decoded variable parts of its path, and its body."""

    account: Account
    parts: Sequence[str]
    query: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON. Raises AppcuesApiError."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise AppcuesApiError(400, "the body is not valid JSON") from error

    def json_object(self) -> dict[str, Any]:
        """Read the body as a JSON object. Raises AppcuesApiError."""
        body = self.json()
        if not isinstance(body, dict):
            raise AppcuesApiError(400, "the body must be a JSON object")
        return body


Handler = Callable[[AppcuesCall], Response]
Route = tuple[str, str, Handler]
"""A method, a path with variable parts in braces, and the handler."""


class AppcuesApiError(Exception):
    """An error in Appcues' form: status, title and description."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def response(self) -> Response:
        """Return the error as a response."""
        title = HTTPStatus(self.status).phrase
        body = {"error": True, "status": self.status, "title": title, "detail": self.detail}
        return JSONResponse(body, self.status, self.headers)


def success(status: int = 200) -> Response:
    """Return the response of a successful change."""
    return JSONResponse({"status": status, "title": HTTPStatus(status).phrase}, status)


class Bucket:
    """A token bucket with room for the requests of one second, or for one request. Times are in seconds."""

    def __init__(self, rate: float | None, now: float) -> None:
        self._lock = threading.Lock()
        self.set_rate(rate, now)

    @property
    def rate(self) -> float | None:
        """The number of requests per second; None for any number."""
        return self._rate

    def set_rate(self, rate: float | None, now: float) -> None:
        """Set the number of requests per second, and fill the bucket; None allows any number."""
        with self._lock:
            self._rate, self._most, self._at = rate, max(rate or 0.0, 1.0), now
            self._left = self._most

    def take(self, now: float) -> int:
        """Take one token and return 0, or return the whole seconds until there is one."""
        with self._lock:
            if self._rate is None:
                return 0
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left >= 1:
                self._left -= 1
                return 0
            return math.ceil((1 - self._left) / self._rate)
