"""`sfcode show`: a saved plan in any format."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.plan_output import show_plan
from sfcode.plan.reports import FORMATS


@click.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format", "format_", type=click.Choice([*FORMATS]), default="text", show_default=True, help="Output format."
)
@click.pass_obj
def show(invocation: Invocation, plan_file: Path, format_: str) -> None:
    """Show a saved plan. Needs neither the config nor the org."""
    show_plan(invocation, invocation.load_plan(plan_file), format_)
