"""Markdown that can be unfolded: a summary, and below it lines that cannot break out of their block."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfcode.plan.reports.diff_tree import Line


def folded(summary: str, lines: Iterable[str]) -> str:
    """Fold lines of Markdown under a summary, which is HTML."""
    return "\n".join(["", f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"])


def folded_diff(sign: str, address: str, lines: Iterable[Line]) -> str:
    """Fold what differs at an address."""
    # GitHub colours lines by their first character; `!` is its sign for a changed line.
    body = [f"{'!' if line.sign == '~' else line.sign} {'    ' * line.depth}{line.text}" for line in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall("`+", line)), default=0))
    return folded(f"<code>{sign} {_html(address)}</code>", [f"{fence}diff", *body, fence])


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
