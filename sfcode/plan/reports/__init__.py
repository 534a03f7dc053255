"""The formats of a plan; a new one is a module with `render`, and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from sfcode.lazy_dataclasses import dataclass
from sfcode.text import Paint, plain

if TYPE_CHECKING:
    from sfcode.metadata.component import Address
    from sfcode.plan.plan import Plan
    from sfcode.plan.risk import Judgment
    from sfcode.secret import Secret

FORMATS = {
    "text": "sfcode.plan.reports.text",
    "json": "sfcode.plan.document",
    "markdown": "sfcode.plan.reports.markdown",
    "html": "sfcode.plan.reports.html",
}
"""The module of each format, which is imported only when the format is used."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of a format."""

    paint: Paint = plain
    key: Secret | None = None
    """The key that signs the document."""
    judge: Callable[[Plan], Mapping[Address, Judgment]] = lambda _: {}
    """Returns the risk of each change."""


def render_plan(plan: Plan, format_: str, options: ReportOptions) -> Iterator[str]:
    """Render the plan in one of FORMATS, without a final line end: as one text, or in parts."""
    report: str | Iterator[str] = import_module(FORMATS[format_]).render(plan, options)
    return iter((report,)) if isinstance(report, str) else report
