"""The interface of authentication schemes: a check before the body is received, and one after."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Sequence
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import Request

from sfcode.secret import Secret


class AuthScheme(Protocol):
    """Authenticates senders. Both checks return the name of a problem, or ""."""

    challenge: str
    """The value of the WWW-Authenticate header of a refusal."""
    in_path: bool
    """Whether the path ends in the token."""
    signs_body: bool
    """Whether the sender cannot be authenticated before the whole body has arrived."""

    def check_head(self, request: Request, path_token: str, now: float) -> str:
        """Check the request without its body."""
        ...

    def check_body(self, request: Request, body: bytes) -> str:
        """Check the body."""
        ...


def single_header(headers: Headers, name: str) -> str:
    """Return the value of a header that occurs once; "" if it is missing or repeated."""
    values = headers.getlist(name)
    return values[0].strip() if len(values) == 1 else ""


def matches_any(presented_secret: bytes, secrets: Sequence[bytes]) -> bool:
    """Return whether a presented secret equals one of the secrets, comparing each in constant time."""
    matches = [hmac.compare_digest(presented_secret, secret) for secret in secrets]
    return bool(presented_secret) and any(matches)


def reveal_all(secrets: Sequence[Secret]) -> list[bytes]:
    """Return the secrets' bytes."""
    return [secret.reveal().encode() for secret in secrets]


def sign_with_each(keys: Sequence[bytes], parts: Sequence[bytes], algorithm: str) -> list[bytes]:
    """Sign the concatenated parts with every key."""
    signatures = []
    for key in keys:
        code = hmac.new(key, digestmod=getattr(hashlib, algorithm))
        for part in parts:
            code.update(part)
        signatures.append(code.digest())
    return signatures


def base64_bytes(text: str) -> bytes:
    """Decode base64 of the standard or URL alphabet, padded or not; b"" if it is invalid."""
    usual = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(usual + "=" * (-len(usual) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
