"""A plan in every format that it can be shown in; a new one is a module with `render`, and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfcode.metadata.component import Address
    from sfcode.plan.plan import Plan
    from sfcode.plan.risk import Judgement
    from sfcode.secret import Secret

Paint = Callable[[str, str], str]
"""Return a text in the color of a sign (`+`, `-`, `~`, `!`), or unchanged."""

FORMATS = {
    "text": "sfcode.plan.reports.text",
    "json": "sfcode.plan.document",
    "markdown": "sfcode.plan.reports.markdown",
    "html": "sfcode.plan.reports.html",
}
"""The module of each format, which is imported only when it is asked for."""


def plain(text: str, sign: str) -> str:  # noqa: ARG001
    """Leave the text as it is."""
    return text


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a format may need besides the plan."""

    paint: Paint = plain
    key: Secret | None = None
    """Signs the document."""
    judge: Callable[[Plan], Mapping[Address, Judgement]] = lambda _: {}
    """Return the risk of each change."""


def render_plan(plan: Plan, format_: str, options: ReportOptions) -> str:
    """Write the plan in one of FORMATS, without a line end behind it."""
    written: str = import_module(FORMATS[format_]).render(plan, options)
    return written
