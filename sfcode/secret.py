"""Secret values, which print as asterisks."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import NoReturn

MASK = "******"


class Secret:
    """A token, key or password. Only `reveal()` returns it; everything else prints asterisks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Call this only where the value is sent."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied to another process")


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """Mask every occurrence of some secrets in a foreign text, such as an org's error message."""
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), MASK)
    return text
