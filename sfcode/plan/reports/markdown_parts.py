"""Escape foreign text for Markdown, so that it cannot create links, mentions, images, tags or new blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfcode.plan.reports.diff_tree import Line
from sfcode.text import printable

_CODE = re.compile(r"(`[^`]*`)")
# An underscore inside a word, as in Plan__c, has no meaning in Markdown.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|~#!]|(?<![A-Za-z0-9_])_|_(?![A-Za-z0-9_]))")
ZERO_WIDTH = "\u200b"


def inline(text: str) -> str:
    """Escape a sentence; text between backticks remains code."""
    return "".join(part if index % 2 else escape(part) for index, part in enumerate(_CODE.split(text)))


def escape(text: str) -> str:
    """Escape plain text on one line, without mentions and links."""
    flat = _SPECIAL.sub(r"\\\1", printable(re.sub(r"\s+", " ", text)))
    flat = re.sub(r"@(?=\w)", f"@{ZERO_WIDTH}", flat)
    return re.sub(r"(https?):(?=//)", rf"\1{ZERO_WIDTH}:", flat)


def cell(text: str) -> str:
    """Escape a sentence for a table cell, where a bar would end the cell even inside code."""
    return "".join(
        part.replace("|", "\\|") if index % 2 else escape(part) for index, part in enumerate(_CODE.split(text))
    )


def fold(summary: str, lines: Iterable[str]) -> str:
    """Put lines of Markdown into a collapsed section with a summary, which is HTML."""
    body = "\n".join(lines).rstrip("\n")
    return f"\n<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def diff_block(sign: str, address: str, lines: Iterable[Line]) -> str:
    """Render the differences at an address, below its name."""
    # GitHub colors lines by their first character; `!` is its sign for a changed line.
    body = [f"{'!' if line.sign == '~' else line.sign} {'    ' * line.depth}{line.text}" for line in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall("`+", line)), default=0))
    return "\n".join([f"<code>{sign} {_html(address)}</code>", "", f"{fence}diff", *body, fence, ""])


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
