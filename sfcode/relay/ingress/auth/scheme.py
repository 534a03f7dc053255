"""What every scheme does: judge a request before its body is received, and after."""

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


class Scheme(Protocol):
    """A way to know the sender. Both checks give a short name of what is wrong, or an empty text."""

    challenge: str
    """What a refusal says is needed, in its WWW-Authenticate header."""
    in_path: bool
    """Whether the address ends in the token."""

    def before(self, request: Request, path_token: str, now: float) -> str:
        """Judge what is known without the body."""
        ...

    def after(self, request: Request, body: bytes) -> str:
        """Judge the body, by what was said of it."""
        ...


def only(headers: Headers, name: str) -> str:
    """Give a header that is there once; an empty text for none or several, of which any could be meant."""
    values = headers.getlist(name)
    return values[0].strip() if len(values) == 1 else ""


def matches(given: bytes, wanted: Sequence[bytes]) -> bool:
    """Compare with every one, in a time that says nothing of where they differ."""
    found = [hmac.compare_digest(given, each) for each in wanted]
    return bool(given) and any(found)


def values(secrets: Sequence[Secret]) -> list[bytes]:
    """Reveal secrets, to compare or to sign with them."""
    return [secret.reveal().encode() for secret in secrets]


def signatures(keys: Sequence[bytes], parts: Sequence[bytes], algorithm: str) -> list[bytes]:
    """Sign what stands in some parts with every key."""
    made = []
    for key in keys:
        code = hmac.new(key, digestmod=getattr(hashlib, algorithm))
        for part in parts:
            code.update(part)
        made.append(code.digest())
    return made


def base64_bytes(text: str) -> bytes:
    """Read base64, of the usual or the URL alphabet, padded or not; empty where it is none."""
    usual = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(usual + "=" * (-len(usual) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
