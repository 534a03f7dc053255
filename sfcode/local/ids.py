"""Record IDs: 15 case-sensitive characters, and a checksum of three characters for clients that ignore case."""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHECKSUM = string.ascii_uppercase + "012345"
POD = "Lc"
"""The characters of an ID that name the instance in a real org."""

KEY_PREFIXES = dict(
    line.split()
    for line in Path(__file__).with_name("key_prefixes.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
)
"""The first three characters of IDs, by object."""

OTHER_METADATA = "0zz"


def key_prefix(kind: str) -> str:
    """Return the prefix of a standard object or metadata type."""
    return KEY_PREFIXES.get(kind, OTHER_METADATA)


def checksum(id15: str) -> str:
    """
    Compute the last three characters; each encodes which of five characters are upper case.

    https://help.salesforce.com/s/articleView?id=000385585&type=1 has the arithmetic.
    """
    groups = (id15[0:5], id15[5:10], id15[10:15])
    return "".join(CHECKSUM[sum(1 << n for n, char in enumerate(group) if "A" <= char <= "Z")] for group in groups)


def full(value: str) -> str:
    """Return an ID with 18 characters, whichever form it has; return any other value unchanged."""
    if len(value) == 15 and value.isascii() and value.isalnum():
        return value + checksum(value)
    return value


def is_id(value: object) -> bool:
    """Return whether a value has the form of an ID with a valid checksum."""
    if not isinstance(value, str) or not (value.isascii() and value.isalnum()):
        return False
    return len(value) == 15 or (len(value) == 18 and value[15:] == checksum(value[:15]))


def nth(prefix: str, number: int) -> str:
    """Return the ID of the n-th row with a prefix."""
    id15 = f"{prefix}{POD}0{_base62(number, 9)}"
    return id15 + checksum(id15)


def derive_id(prefix: str, *parts: str) -> str:
    """Return an ID for a computed row: the same parts have the same ID."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    id15 = f"{prefix}{POD}1{_base62(int.from_bytes(digest[:6], 'big'), 9)}"
    return id15 + checksum(id15)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits.rjust(width, "0")
