"""Texts for people: escape foreign ones (names, labels, IDs) for a terminal, a log or a reader; count nouns; add color."""

from __future__ import annotations

import re
from collections.abc import Callable
from textwrap import fill

WIDTH = 80
"""The maximum number of characters of a line of text, unless it holds a longer word."""

Paint = Callable[[str, str], str]
"""Returns a text in the color of a sign (`+`, `-`, `~`, `!`), or unchanged."""

UNSEEN = "\u00ad\u061c\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
"""
Invisible characters that format a text, end a line or change the direction of writing, as a character class of a
regular expression. The zero width space and joiners are allowed or not depending on their neighbors.
"""

# Markdown output has zero width spaces after @ and https, to prevent mentions and links. Joiners are
# needed in some scripts and emoji; beside an ASCII letter they only make different names look alike.
_INVISIBLE = (
    rf"[{UNSEEN}]|(?<![@])(?<!http)(?<!https)\u200b|(?<=[\x21-\x7e])[\u200c\u200d]|[\u200c\u200d](?=[\x21-\x7e])"
)

# The colors of the command line, and the end of a line in a file from Windows, are the only controls that texts need.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[(?:0|3[123])m)|\r(?!\n)"
_ESCAPED = re.compile(f"{_INVISIBLE}|{_CONTROL}")
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Matches a character that XML cannot contain. These are listed, since their complement takes ten milliseconds to compile."""

_ANY_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def printable(text: str) -> str:
    """Escape characters that would move the cursor, end a line, or change the direction of writing."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def plain(text: str, sign: str) -> str:  # noqa: ARG001
    """Return the text unchanged: the Paint of a text without colors."""
    return text


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 component, 6 components, 1,200 entries."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """Break a text at spaces into indented lines of at most 80 characters; `first` replaces the indent of the first line."""
    return fill(
        printable(" ".join(text.split())),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def spell_out(text: str) -> str:
    r"""
    Escape invisible characters that make a text look like another one, such as a right-to-left override as `\u202e`.

    Control characters are escaped too, since a terminal would obey those in an org's message. It is the last step before
    a text is printed or sent to people. The escapes are those of JSON, so that a JSON document keeps its meaning.
    """
    if text.isascii() and not _ANY_CONTROL.search(text):
        return text
    return _ESCAPED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = match[0].encode("utf-16-be")
    return "".join(f"\\u{code[index : index + 2].hex()}" for index in range(0, len(code), 2))
