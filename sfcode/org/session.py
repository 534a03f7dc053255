"""A session with an org: its URL and its access token, which can be renewed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sfcode.errors import SignInError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.address import normalize_url
from sfcode.secret import Secret, scrub

SESSION_EXPIRED = "INVALID_SESSION_ID"


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of a sign-in: an access token, and the URL of its org."""

    access_token: Secret
    instance_url: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """A configured sign-in method."""

    name: str
    """The name for messages: `SF_ACCESS_TOKEN`, `alias:uat`."""
    hint: str
    """The hint for an expired session."""
    grant: Callable[[], Grant]
    renewable: bool = False
    """Whether `grant` can be called again to get another token."""


class Session:
    """The session with one org. Safe to share between threads."""

    def __init__(self, sign_in: SignIn, clock: Callable[[], float] = time.monotonic) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._lock = threading.Lock()
        grant = sign_in.grant()
        self.instance_url = normalize_url(grant.instance_url)
        self._token = grant.access_token
        self._since = clock()

    @property
    def token(self) -> Secret:
        """The current access token."""
        return self._token

    @property
    def age(self) -> float:
        """Seconds since the token was issued."""
        return self._clock() - self._since

    @property
    def renewable(self) -> bool:
        """Whether a new token can be requested."""
        return self._sign_in.renewable

    def renew(self, refused: Secret) -> bool:
        """Replace a token that the org refused; return False if the sign-in method cannot get another one."""
        with self._lock:
            if self._token != refused:
                return True  # another thread has renewed it
            if not self._sign_in.renewable:
                return False
            grant = self._sign_in.grant()
            if normalize_url(grant.instance_url) != self.instance_url:
                raise SignInError(
                    f"Signing in again with {self._sign_in.name} led to {grant.instance_url}, not to {self.instance_url}.",
                    "Check which org is intended, then start the command again.",
                )
            self._token = grant.access_token
            self._since = self._clock()
            return True

    def scrub(self, text: str) -> str:
        """Mask the token in a foreign text."""
        return scrub(text, [self._token])

    def expired_error(self, message: str = "") -> SignInError:
        """Return the error for an expired session, with the hint of the sign-in method."""
        details = f" ({self.scrub(message)})" if message else ""
        return SignInError(
            f"{self.instance_url} does not accept the session from {self._sign_in.name}: expired, ended, or of another org{details}.",
            self._sign_in.hint,
            code=SESSION_EXPIRED,
        )
