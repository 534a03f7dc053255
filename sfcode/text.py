"""Make texts from outside (names, labels, ids) safe for a terminal, a log or a reader."""

from __future__ import annotations

import re

UNSEEN = "\u00ad\u061c\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
"""
Characters that format a text, end a line or change the direction of writing, and are not seen themselves, for a class of a
regular expression. The zero width space and the joiners of scripts and emoji are judged by what stands beside them.
"""

# Markdown needs the zero width space behind @ and https, where it keeps a name from being a mention or a link. Joiners are
# letters to the writers of some scripts; beside a letter of ASCII they only make two names look alike.
_UNSEEN = re.compile(
    rf"[{UNSEEN}]|(?<![@])(?<!http)(?<!https)\u200b|(?<=[\x21-\x7e])[\u200c\u200d]|[\u200c\u200d](?=[\x21-\x7e])"
)


def printable(text: str) -> str:
    """Escape characters that would move the cursor, end a line, or change the direction of writing."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def spell_out(text: str) -> str:
    r"""
    Escape characters that are not seen and make a text look like another one: `\u202e` stands for a right-to-left override.

    It is done to everything that is printed or sent to people, as the last step. The escapes are JSON's, so that a JSON
    document keeps its meaning.
    """
    return text if text.isascii() else _UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = match[0].encode("utf-16-be")
    return "".join(f"\\u{code[index : index + 2].hex()}" for index in range(0, len(code), 2))
