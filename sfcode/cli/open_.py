"""`sfcode open`: the page of a plan, in the browser."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.plan_output import add_provenance, judge

if TYPE_CHECKING:
    from sfcode.plan.plan import Plan


@click.command()
@click.argument("plan_file", metavar="[PLAN]", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page to this file; otherwise to a temporary one that only you can read.",
)
@click.pass_obj
def open_(invocation: Invocation, plan_file: Path | None, output: Path | None) -> None:
    """
    Open the page of a plan in the browser: of a saved plan, or of a new one.

    The page shows the data flow, the risk of each change, the changes of access in words, and the lines of YAML behind
    them. It is one file, loads nothing, and can be sent to others. In CI, over SSH and without a display, the command
    only prints its path.
    """
    from sfcode.atomic_write import write_whole
    from sfcode.plan.reports import ReportOptions, render_plan
    from sfcode.text import spell_out

    plan = invocation.load_plan(plan_file) if plan_file else _make(invocation)
    page = "".join(render_plan(plan, "html", ReportOptions(judge=judge)))
    path = output.absolute() if output else Path(tempfile.mkdtemp(prefix="sfcode-")) / "plan.html"
    write_whole(path, spell_out(page) + "\n", "the page")
    opened = has_browser(os.environ, sys.platform) and _open(path)
    if invocation.json:
        print_envelope({"page": str(path), "opened": opened}, plan.warnings)
        return
    echo(str(path))
    if opened:
        print_status(invocation, "Opened in the browser.", aside=True)


def _make(invocation: Invocation) -> Plan:
    from sfcode.plan.planner import make_plan

    project = invocation.project()
    secrets = invocation.secrets(project)
    with invocation.open_org(project) as org, invocation.show_progress("Reading the org"):
        result = make_plan(project, org, secrets)
    return add_provenance(result.plan, result.desired, invocation.config)


def has_browser(environ: Mapping[str, str], platform: str) -> bool:
    """Return whether a browser can be shown to the user: not in a CI, and not on a remote machine."""
    if environ.get("CI"):
        return False
    if platform in {"darwin", "win32"}:
        return not environ.get("SSH_CONNECTION")
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _open(path: Path) -> bool:
    import webbrowser

    return webbrowser.open(path.as_uri())
