"""Texts from outside on their way to a terminal or a log: names, labels and ids may hold anything."""

from __future__ import annotations


def printable(text: str) -> str:
    """Spell out what would move a cursor, end a line, or turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode() for each in text
    )
