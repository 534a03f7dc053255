"""Make texts from outside safe for a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape characters that move the cursor, end a line, or change the direction of writing."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode() for each in text
    )
