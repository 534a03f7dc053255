"""Texts as Salesforce takes them: cleaned of what no field holds, and cut to a limit between characters."""

from __future__ import annotations

import re
import unicodedata

_NOWHERE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_HALF = re.compile("[\ud800-\udfff]")
_JOINER = "\u200d"
_LONGEST_CHARACTER = 32
"""Code points that one character on screen may take; a longer chain of marks is cut anywhere."""


def clean(text: str) -> str:
    """Take out control characters, write line ends in one way, and replace halves of characters."""
    return _HALF.sub("\ufffd", _NOWHERE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def cut(text: str, limit: int) -> str:
    """
    Shorten a text to what a field takes, never in the middle of a character as people see it.

    Salesforce counts as Java does: what lies beyond the first 65,536 characters of Unicode counts twice.
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
    """Count the code points that fit into so many units."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if character > "\uffff" else 1
        if used > limit:
            return index
    return len(text)


def _between(text: str, index: int) -> bool:
    """Tell whether a text can be parted before an index: what follows must be a character of its own."""
    if index <= 0:
        return True
    before, after = text[index - 1], text[index]
    if _JOINER in {before, after} or _continues(after):
        return False
    return not (_is_flag(before) and _is_flag(after) and _flags_before(text, index) % 2)


def _continues(character: str) -> bool:
    """Tell marks, variation selectors and skin tones from characters that stand alone."""
    return unicodedata.category(character) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, index: int) -> int:
    """Count the letters of flags right before an index: two make one flag."""
    count = 0
    while count < index and _is_flag(text[index - 1 - count]):
        count += 1
    return count
