"""Markdown that holds foreign text: nothing in it becomes a link, a mention, an image or a tag."""

from __future__ import annotations

import re

from sfcode.text import printable

_CODE = re.compile(r"(`[^`]*`)")
# An underscore inside a word, as in Plan__c, means nothing to Markdown.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|~#!]|(?<![A-Za-z0-9_])_|_(?![A-Za-z0-9_]))")
ZERO_WIDTH = "\u200b"


def inline(text: str) -> str:
    """Escape a sentence; what stands between backticks stays code."""
    return "".join(part if index % 2 else escape(part) for index, part in enumerate(_CODE.split(text)))


def escape(text: str) -> str:
    """Escape plain text on one line; an @ in it mentions nobody, an address is no link."""
    flat = _SPECIAL.sub(r"\\\1", printable(re.sub(r"\s+", " ", text)))
    flat = re.sub(r"@(?=\w)", f"@{ZERO_WIDTH}", flat)
    return re.sub(r"(https?):(?=//)", rf"\1{ZERO_WIDTH}:", flat)


def cell(text: str) -> str:
    """Escape a sentence for a table, where a bar ends the cell even inside code."""
    return "".join(
        part.replace("|", "\\|") if index % 2 else escape(part) for index, part in enumerate(_CODE.split(text))
    )
