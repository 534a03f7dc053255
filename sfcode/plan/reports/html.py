"""The plan as one self-contained HTML page."""

from __future__ import annotations

from importlib.resources import files

from sfcode.plan.plan import Plan
from sfcode.plan.reports.items import headline, items


def html(plan: Plan) -> str:
    """Write the page: no script, no request to anywhere."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files(__package__) / "plan.html.j2").read_text(encoding="utf-8"))
    kinds = {"+": "create", "-": "delete", "~": "update", " ": "same"}
    return template.render(plan=plan, headline=headline(plan), items=items(plan), kinds=kinds)
