"""`sfcode apply`: make the org what the config asks for."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.apply_session import report, run_apply
from sfcode.cli.invocation import Invocation
from sfcode.cli.lock_options import lock_options
from sfcode.cli.options import deploy_options, limit_options, ownership_options, test_options
from sfcode.cli.output import print_envelope, print_status
from sfcode.cli.report_file import junit_option, write_junit
from sfcode.errors import ExitCode, Refused, UsageError
from sfcode.metadata.component import Address


@click.command()
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--attach", metavar="DEPLOY_ID", help="Follow a deployment that goes on in the org, and nothing else.")
@test_options
@junit_option
@ownership_options
@limit_options
@lock_options
@click.pass_obj
def apply(
    invocation: Invocation,
    plan_file: Path | None,
    *,
    auto_approve: bool,
    attach: str | None,
    lock: bool,
    lock_timeout: float,
    test_level: str | None,
    tests: tuple[str, ...],
    junit_file: Path | None,
    adopt: tuple[Address, ...],
    allow_delete: tuple[Address, ...],
    targets: tuple[Address, ...],
    max_destroy: str | None,
    max_change: str | None,
) -> int:
    """
    Make the org what the config asks for.

    With PLAN, exactly that plan is carried out, or nothing. Without, a plan is made, shown, and
    carried out after a `yes`.
    """
    from sfcode.apply.next_steps import steps_after
    from sfcode.apply.session import ApplyOptions
    from sfcode.plan.document import load
    from sfcode.plan.modes import Limits, PlanRequest

    if attach:
        return _attach(invocation, attach)
    options = ApplyOptions(auto_approve, deploy_options(test_level, tests), lock, lock_timeout)
    saved = load(plan_file, invocation.plan_key()) if plan_file else None
    if saved and (adopt or allow_delete or targets or max_destroy or max_change):
        raise UsageError("A saved plan is carried out as it is.", "Give these options to `sfcode plan`.")
    project = invocation.project()
    if project.target.protected and saved is None:
        raise Refused(
            f"Environment {project.environment} is protected: only a saved plan is applied to it.",
            "sfcode plan --out FILE, have it reviewed, then: sfcode apply FILE",
        )

    limits = Limits(max_destroy, max_change)
    request = saved or PlanRequest(adopt=adopt, allow_delete=allow_delete, targets=targets, limits=limits)
    with write_junit(junit_file) as junit:
        result = run_apply(invocation, project, request, options, junit)
    report(invocation, result, steps=steps_after(project, result.plan))
    return ExitCode.OK


def _attach(invocation: Invocation, deploy_id: str) -> int:
    from sfcode.apply.deploy import attach
    from sfcode.apply.deploy_errors import failure
    from sfcode.apply.lock import attached

    project = invocation.project()
    with invocation.open_org(project) as org:
        result, org_id = attach(org, deploy_id, lambda line: print_status(invocation, line)), org.identity.org_id
        attached(org, project.settings.name, deploy_id)
    if not result.success:
        raise failure(result, ())
    if invocation.json:
        print_envelope({"deployments": [result.id], "org": org_id})
    else:
        click.echo(f"The deployment {result.id} is in. Run `sfcode plan` to see what is left to do.")
    return ExitCode.OK
