"""Access to the dashboard and the metrics: the admin token, as a bearer, a Basic password or a session cookie."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sfcode.relay.clock import boot_time
from sfcode.relay.ingress.client_address import Network, name_client, original_address
from sfcode.secret import Secret

COOKIE = "sfcode_relay"
SESSION_SECONDS = 12 * 3600
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
SOURCE = "admin"
"""What refusals are counted under."""


class AdminEvents(Protocol):
    """Records refused requests."""

    def record_refused(self, source: str, reason: str, status: int, peer: str = "") -> None:
        """Record a refused request."""


class AdminAuth:
    """
    Check that a request holds the admin token.

    Without a token, which is possible only on loopback, every request from this machine is accepted whose Host header is
    a loopback name, so that a web page cannot reach the relay under another host name.
    """

    def __init__(
        self,
        token: Secret | None,
        events: AdminEvents,
        *,
        proxies: Callable[[], Sequence[Network]] = tuple,
        sessions_end: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._token = token
        self._events = events
        self._proxies = proxies
        self._sessions_end = sessions_end
        """When sessions were last ended, as a Unix time: cookies that are not younger are refused."""
        self._attempts = FailedAttempts(clock)

    @property
    def open(self) -> bool:
        """Whether no admin token is set."""
        return self._token is None

    def refusal(self, request: Request, now: float) -> Response | None:
        """Return the response that refuses a request; None where it is let in."""
        if self._token is None:
            if _host(request.headers) in LOOPBACK:
                return None
            return PlainTextResponse("Without an admin token, only requests from this machine are accepted.\n", 403)
        if self._holds(request.cookies.get(COOKIE, ""), now):
            return None
        token = _token_of(request.headers)
        if token:
            return self.check(request, token)
        return _unauthorized()

    def check(self, request: Request, token: str) -> Response | None:
        """Return the response that refuses a presented token; None where it is the admin token."""
        client = name_client(original_address(request, self._proxies()))
        wait = self._attempts.seconds_left(client)
        if wait > 0:
            # The token is not checked: otherwise a client could guess tokens as fast as the relay responds.
            self._events.record_refused(SOURCE, "too_many_attempts", 429, client)
            return PlainTextResponse("Too many wrong tokens.\n", 429, {"Retry-After": str(math.ceil(wait))})
        if self._token is not None and Secret(token) == self._token:
            self._attempts.forget(client)
            return None
        self._attempts.add(client)
        self._events.record_refused(SOURCE, "token_wrong", 401, client)
        return _unauthorized()

    def cookie(self, now: float) -> str:
        """Return a signed cookie for `SESSION_SECONDS`; it does not hold the token."""
        until = str(int((now + SESSION_SECONDS) * 1000))
        return f"{until}.{self._signature(until)}"

    def _holds(self, cookie: str, now: float) -> bool:
        until, _, signature = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 20):
            return False
        end = int(until) / 1000
        if end <= now or end - SESSION_SECONDS <= self._sessions_end():
            return False
        return hmac.compare_digest(signature.encode(), self._signature(until).encode())

    def _signature(self, until: str) -> str:
        key = self._token.reveal() if self._token else ""
        return hmac.new(key.encode(), f"dashboard until {until}".encode(), hashlib.sha256).hexdigest()


class FailedAttempts:
    """Counts wrong tokens by client: after the first few, each one doubles the wait before the next token is checked."""

    FREE = 3
    LONGEST = 60.0
    """Seconds."""
    CLIENTS = 1000
    """Remembered; of more, the ones that have been quiet for longest are forgotten."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[int, float]] = {}
        """The number of wrong tokens, and the time at which the next one is checked."""

    def seconds_left(self, client: str) -> float:
        """Return the seconds before the next token of a client is checked."""
        return max(0.0, self._failed.get(client, (0, 0.0))[1] - self._clock())

    def add(self, client: str) -> None:
        """Count a wrong token."""
        count = self._failed.pop(client, (0, 0.0))[0] + 1
        wait = 0.0 if count <= self.FREE else min(self.LONGEST, 2.0 ** min(count - self.FREE - 1, 10))
        self._failed[client] = (count, self._clock() + wait)
        if len(self._failed) > self.CLIENTS:
            del self._failed[next(iter(self._failed))]

    def forget(self, client: str) -> None:
        """Forget the wrong tokens of a client that has the right one."""
        self._failed.pop(client, None)


def _unauthorized() -> Response:
    return PlainTextResponse("The admin token is needed.\n", 401, {"WWW-Authenticate": 'Basic realm="sfcode relay"'})


def _token_of(headers: Mapping[str, str]) -> str:
    """Read the token of a request: as a bearer, or as the password of any user."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _host(headers: Mapping[str, str]) -> str:
    header = headers.get("host", "")
    host, colon, port = header.rpartition(":")
    return (host if colon and port.isdigit() else header).lower()
