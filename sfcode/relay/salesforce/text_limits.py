"""Clean and truncate texts for fields of Salesforce."""

from __future__ import annotations

import re
import unicodedata

_NOWHERE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_HALF = re.compile("[\ud800-\udfff]")
_JOINER = "\u200d"
_LONGEST_CHARACTER = 32
"""The maximum number of code points of one grapheme; a longer chain of combining marks may be cut anywhere."""


def clean(text: str) -> str:
    """Remove control characters, normalize line ends, and replace lone surrogates."""
    return _HALF.sub("\ufffd", _NOWHERE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def cut(text: str, limit: int) -> str:
    """
    Truncate a text to a field's length, never inside a grapheme.

    Salesforce counts UTF-16 units like Java: characters beyond U+FFFF count twice.
    """
    if len(text) * 2 <= limit or _units(text) <= limit:
        return text
    end = _fitting(text, limit)
    for back in range(min(end, _LONGEST_CHARACTER) + 1):
        if _between(text, end - back):
            return text[: end - back]
    return text[:end]


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _fitting(text: str, limit: int) -> int:
    """Count the code points that fit into a number of UTF-16 units."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if character > "\uffff" else 1
        if used > limit:
            return index
    return len(text)


def _between(text: str, index: int) -> bool:
    """Return whether a text can be split before an index."""
    if index <= 0:
        return True
    before, after = text[index - 1], text[index]
    if _JOINER in {before, after} or _continues(after):
        return False
    return not (_is_flag(before) and _is_flag(after) and _flags_before(text, index) % 2)


def _continues(character: str) -> bool:
    """Return whether a code point modifies the one before it."""
    return unicodedata.category(character) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, index: int) -> int:
    """Count the regional indicators directly before an index; two of them form a flag."""
    count = 0
    while count < index and _is_flag(text[index - 1 - count]):
        count += 1
    return count
