"""Show a plan in the requested format."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope
from sfcode.plan.reports import ReportOptions, render_plan

if TYPE_CHECKING:
    from sfcode.mapping.desired import Desired
    from sfcode.metadata.component import Address
    from sfcode.plan.plan import Plan
    from sfcode.plan.risk import Judgment


def show_plan(invocation: Invocation, plan: Plan, format_: str, *, status: int = 0, saved: Path | None = None) -> None:
    """Write the plan to standard output: in the envelope with `--json`, else in the format, else as text."""
    invocation.result.plan = plan
    invocation.result.saved = None if plan.refusals else saved
    if invocation.json:
        from sfcode.plan.document import to_document

        print_envelope(to_document(plan, invocation.plan_key()), plan.warnings, status=status)
    else:
        options = ReportOptions(paint, invocation.plan_key(), judge=judge)
        for part in render_plan(plan, format_, options):
            echo(part, nl=False)
        echo()
        if format_ == "text":
            _say_how_to_apply(invocation, plan, saved)


def add_provenance(plan: Plan, desired: Desired, config: Path) -> Plan:
    """Return the plan with the time, the commit that its config is checked out from, and the YAML lines."""
    from sfcode.git import find_checkout
    from sfcode.plan.provenance import DIRTY, Provenance, list_lines, web_address

    checkout = find_checkout(config)

    def rename(file: str) -> str:
        path = Path(file).resolve()
        return path.relative_to(checkout.top).as_posix() if checkout and path.is_relative_to(checkout.top) else file

    made_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    provenance = Provenance(
        made_at,
        f"{checkout.commit}{DIRTY if checkout.dirty else ''}" if checkout else "",
        web_address(checkout.remote) if checkout else "",
        list_lines(plan.effective, desired, rename),
    )
    return replace(plan, provenance=provenance)


def judge(plan: Plan) -> Mapping[Address, Judgment]:
    """Return the risk of each change."""
    from sfcode.checks.risk import assess_plan

    return assess_plan(plan)


def _say_how_to_apply(invocation: Invocation, plan: Plan, saved: Path | None) -> None:
    if invocation.quiet or saved is None:
        return
    if plan.refusals:
        echo(f"\nNothing was saved to {saved}: the plan is refused.")
    elif not plan.is_empty:
        echo(f"\nSaved. To perform exactly these actions: {render_command(invocation, 'apply', str(saved))}")
        if plan.validation:
            echo("For ten days, and until anything else is deployed, that runs no tests again.")


def render_command(invocation: Invocation, *words: str) -> str:
    """Return a command for the same config, environment and org, with the options that are not set by environment variables."""
    values = {"CONFIG": str(invocation.config), "ENV": invocation.env, "ORG": invocation.org}
    defaults = {name: os.environ.get(f"SFCODE_{name}") or ("config" if name == "CONFIG" else None) for name in values}
    settings = {name: value for name, value in values.items() if value and value != defaults[name]}
    options = [word for name, value in settings.items() for word in (f"--{name.lower()}", value)]
    return shlex.join(["sfcode", *options, *words])
