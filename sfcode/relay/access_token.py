"""Access tokens, with which people and programs sign in to the dashboard: each has a name and a role."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, Protocol, get_args

from sfcode.lazy_dataclasses import dataclass

Role = Literal["viewer", "operator"]
"""A viewer sees everything and changes nothing; an operator replays, discards, pauses and acknowledges too."""

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token without its secret; the inbox stores only a hash of the secret."""

    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    """The time at which the token expires; None if it does not expire."""


class AccessTokenReader(Protocol):
    """Finds tokens by their secret, and keeps their sessions."""

    def find(self, secret: str) -> AccessToken | None:
        """Return the token with a secret; None if the token is unknown, revoked or expired."""

    def begin_session(self, name: str, seconds: float) -> str:
        """Begin a session of a token, and return its random name, which is the cookie's value."""

    def find_session(self, session: str) -> AccessToken | None:
        """Return the token of a session; None if the session has ended, or the token was revoked or has expired."""

    def end_session(self, session: str) -> None:
        """End a session."""


def digest_secret(secret: str) -> str:
    """Return the hash by which the inbox finds a secret. Secrets are random and long: no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
