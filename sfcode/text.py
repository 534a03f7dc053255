"""Make texts from outside (names, labels, ids) safe for a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape characters that would move the cursor, end a line, or change the direction of writing."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )
