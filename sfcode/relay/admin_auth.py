"""Access to the dashboard and the metrics: the admin token, as a bearer, a Basic password or a session cookie."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sfcode.secret import Secret

COOKIE = "sfcode_relay"
SESSION_SECONDS = 12 * 3600
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class AdminAuth:
    """
    Check that a request holds the admin token.

    Without a token, which only a relay on loopback can be, everybody on this machine is let in who
    asks for it by the machine's own name: a web page must not reach the relay by a name of its own.
    """

    def __init__(self, token: Secret | None) -> None:
        self._token = token

    @property
    def open(self) -> bool:
        """Whether no admin token is set."""
        return self._token is None

    def refusal(self, request: Request, now: float) -> Response | None:
        """Return the response that refuses a request; None where it is let in."""
        if self._token is None:
            if _host(request.headers) in LOOPBACK:
                return None
            return PlainTextResponse("Without an admin token, only this machine may look.\n", 403)
        if self.knows(_token_of(request.headers)) or self._holds(request.cookies.get(COOKIE, ""), now):
            return None
        return PlainTextResponse(
            "The admin token is needed.\n", 401, {"WWW-Authenticate": 'Basic realm="sfcode relay"'}
        )

    def knows(self, given: str) -> bool:
        """Tell whether this is the token, in constant time."""
        return self._token is not None and bool(given) and Secret(given) == self._token

    def cookie(self, now: float) -> str:
        """Return a signed cookie for `SESSION_SECONDS`; it does not hold the token."""
        until = str(int(now) + SESSION_SECONDS)
        return f"{until}.{self._signature(until)}"

    def _holds(self, cookie: str, now: float) -> bool:
        until, _, signature = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 20 and int(until) > now):
            return False
        return hmac.compare_digest(signature.encode(), self._signature(until).encode())

    def _signature(self, until: str) -> str:
        key = self._token.reveal() if self._token else ""
        return hmac.new(key.encode(), f"dashboard until {until}".encode(), hashlib.sha256).hexdigest()


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
