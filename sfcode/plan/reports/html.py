"""The plan as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from sfcode.metadata.component import Address
from sfcode.plan.plan import Plan
from sfcode.plan.reports import ReportOptions
from sfcode.plan.reports.picture import WIDTH, picture
from sfcode.plan.reports.plan_items import RELAY_TITLE, headline, items, relay_item
from sfcode.plan.risk import Judgment
from sfcode.text import printable


def render(plan: Plan, options: ReportOptions) -> str:
    """Render the page with the risk of each change."""
    return html(plan, options.judge(plan))


def html(plan: Plan, judged: Mapping[Address, Judgment] | None = None) -> str:
    """Render the page, without scripts or external requests. `judged` has the risk of changes."""
    from jinja2 import Environment, StrictUndefined

    def spelled_out(value: object) -> str:
        return printable(str(value))

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=spelled_out
    )
    template = environment.from_string((files(__package__) / "plan.html.j2").read_text(encoding="utf-8"))
    kinds = {"+": "create", "-": "delete", "~": "update", " ": "same", ".": "same"}
    risks = {str(address): judgment for address, judgment in (judged or {}).items()}
    relay = relay_item(plan)
    return template.render(
        plan=plan,
        headline=headline(plan),
        sections=[("Changes" if plan.flows else "", items(plan)), (RELAY_TITLE, (relay,) if relay else ())],
        kinds=kinds,
        risks=risks,
        worst=max((judgment.risk for judgment in risks.values()), default=None),
        pictures=[picture(flow) for flow in plan.flows],
        width=WIDTH,
    )
