"""Authenticate requests for the dashboard and the metrics, by a bearer token, a Basic password or a session cookie."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sfcode.errors import SfcodeError
from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.access_token import AccessTokenReader, Role
from sfcode.relay.clock import boot_time
from sfcode.relay.ingress.client_address import Network, has_loopback_host, name_client, original_address
from sfcode.secret import Secret

T = TypeVar("T")

ADMIN_NAME = "admin"
"""The name of the admin token (SFCODE_RELAY_ADMIN_TOKEN), which no access token may have."""
COOKIE = "sfcode_relay"
SESSION_SECONDS = 12 * 3600
SOURCE = "admin"
"""The source under which refused requests are counted."""


class AdminEvents(Protocol):
    """Records refused requests."""

    def record_refused(self, source: str, reason: str, status: int, peer: str = "") -> None:
        """Record a refused request."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The person or program that sent a request."""

    name: str
    """The name of the token; "" where no token is needed."""
    role: Role
    form_key: str
    """The CSRF token, which each form must contain."""
    has_session: bool = False


class AdminAuth:
    """
    Authenticates requests by the admin token, or by an access token of the inbox.

    The admin token has the role of an operator, and also works while the database is unavailable. The relay may run
    without an admin token only on loopback. Then all requests from this machine are accepted if their Host header is a
    loopback name, so that a web page cannot reach the relay under another host name.
    """

    def __init__(
        self,
        token: Secret | None,
        events: AdminEvents,
        *,
        store: AccessTokenReader,
        proxies: Callable[[], Sequence[Network]] = tuple,
        sessions_end: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._token = token
        self._events = events
        self._store = store
        self._proxies = proxies
        self._sessions_end = sessions_end
        """When sessions of the admin token were last ended, as a Unix time: cookies that were issued until then are refused."""
        self._attempts = FailedAttempts(clock)
        self._open_key = secrets.token_urlsafe()
        # A separate thread pool, so that a slow database does not delay other work of the process.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="sign-in")

    async def admit(self, request: Request, now: float) -> Principal | Response:
        """Return the principal of a request, or the response that refuses the request."""
        cookie = request.cookies.get(COOKIE, "")
        if self._token is not None and self._holds(cookie, now):
            return Principal(ADMIN_NAME, "operator", _form_key(cookie), has_session=True)
        try:
            if cookie and (token := await self._ask(self._store.find_session, cookie)):
                return Principal(token.name, token.role, _form_key(cookie), has_session=True)
            if secret := _token_of(request.headers):
                return await self.check(request, secret)
        except SfcodeError:
            return PlainTextResponse("The database does not answer: only the admin token can be checked.\n", 503)
        if self._token is not None:
            return _ask_for_token()
        if has_loopback_host(request.headers):
            return Principal("", "viewer", self._open_key)
        return PlainTextResponse("Without an admin token, only requests from this machine are accepted.\n", 403)

    async def check(self, request: Request, secret: str) -> Principal | Response:
        """
        Return the principal of a token, or the response that refuses the token.

        Raises:
            SfcodeError: The database with the access tokens does not answer.

        """
        client = name_client(original_address(request, self._proxies()))
        wait = self._attempts.seconds_left(client)
        if wait > 0:
            # The token is not checked: otherwise a client could guess tokens as fast as the relay responds.
            self._events.record_refused(SOURCE, "too_many_attempts", 429, client)
            return PlainTextResponse("Too many wrong tokens.\n", 429, {"Retry-After": str(math.ceil(wait))})
        if self._token is not None and Secret(secret) == self._token:
            self._attempts.forget(client)
            return Principal(ADMIN_NAME, "operator", _form_key(secret))
        # Counted before the answer, so that a client gains nothing by guessing many at once.
        self._attempts.add(client)
        token = await self._ask(self._store.find, secret)
        if token is not None:
            self._attempts.forget(client)
            return Principal(token.name, token.role, _form_key(secret))
        self._events.record_refused(SOURCE, "token_wrong", 401, client)
        return _ask_for_token()

    async def begin_session(self, principal: Principal, now: float) -> str:
        """Return the cookie of a new session, valid for `SESSION_SECONDS`. The cookie does not contain the token."""
        if principal.name == ADMIN_NAME:
            return self.cookie(now)
        return await self._ask(self._store.begin_session, principal.name, SESSION_SECONDS)

    async def end_session(self, request: Request) -> None:
        """End the session of a request, if it belongs to an access token."""
        await self._ask(self._store.end_session, request.cookies.get(COOKIE, ""))

    def cookie(self, now: float) -> str:
        """Return the signed cookie of a session of the admin token."""
        until = str(int((now + SESSION_SECONDS) * 1000))
        return f"{until}.{self._signature(until)}"

    async def _ask(self, question: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, question, *values)

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


def is_same_origin(request: Request) -> bool:
    """
    Return whether a form was sent by a page of the relay itself, or by a program that is not a browser.

    Browsers send `Sec-Fetch-Site` over https; over plain http they send only the `Origin` of the page.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def _form_key(credential: str) -> str:
    return hmac.new(credential.encode("utf-8", "surrogatepass"), b"form", hashlib.sha256).hexdigest()


class FailedAttempts:
    """Counts wrong tokens by client: after the first few, each wrong token doubles the client's wait for the next check."""

    FREE = 3
    LONGEST = 60.0
    """The longest wait in seconds."""
    CLIENTS = 1000
    """The maximum number of clients that are remembered; those with the oldest attempts are forgotten."""

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
        """Forget the wrong tokens of a client that has sent a valid one."""
        self._failed.pop(client, None)


def _ask_for_token() -> Response:
    return PlainTextResponse("A token is needed.\n", 401, {"WWW-Authenticate": 'Basic realm="sfcode relay"'})


def _token_of(headers: Mapping[str, str]) -> str:
    """Return the bearer token or the Basic password of a request, whatever the user name; "" if it has neither."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # not base64, or not UTF-8
            return ""
    return ""
