"""`sfcode plan`: what apply would change in the org."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.options import ownership_options
from sfcode.cli.report import FORMATS, show_plan
from sfcode.cli.session import Session
from sfcode.errors import ExitCode, UsageError
from sfcode.metadata.component import Address


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `sfcode apply FILE`.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to show it."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes (or drift).")
@click.option("--refresh-only", is_flag=True, help="Show only what was changed in the org since the last apply.")
@ownership_options
@click.pass_obj
def plan(
    session: Session,
    out: Path | None,
    format_: str,
    *,
    detailed_exitcode: bool,
    refresh_only: bool,
    adopt: tuple[Address, ...],
    allow_delete: tuple[Address, ...],
) -> int:
    """Compare the config with the org and show what apply would change. Changes nothing."""
    from sfcode.plan.document import save
    from sfcode.plan.make import make
    from sfcode.plan.refresh import refresh

    if refresh_only and (out or adopt or allow_delete):
        raise UsageError("--refresh-only looks and plans nothing.", "Leave --out, --adopt and --allow-delete away.")
    project = session.project()
    secrets = session.secrets(project)
    with session.open_org(project) as org:
        if refresh_only:
            made = refresh(project, org, secrets)
        else:
            made = make(project, org, secrets, adopt=adopt, allow_delete=allow_delete).plan
    if out is not None and not made.refusals:
        save(made, out)
    code = ExitCode.CHANGES if detailed_exitcode and not made.is_empty else ExitCode.OK
    code = ExitCode.USER if made.refusals else code
    show_plan(session, made, format_, status=code, saved=out)
    return code
