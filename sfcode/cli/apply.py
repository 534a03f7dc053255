"""`sfcode apply`: change the org to match the config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.apply_session import report, run_apply
from sfcode.cli.invocation import Invocation
from sfcode.cli.options import ApexTestOptions, LockOptions, PlanOptions, apex_test_options, lock_options, plan_options
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.report_file import junit_option, write_junit
from sfcode.errors import ExitCode, Refused, UsageError

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--auto-approve", is_flag=True, help="Skip the approval.")
@click.option("--attach", metavar="DEPLOY_ID", help="Only follow a deployment that continues in the org.")
@apex_test_options
@junit_option
@plan_options
@lock_options
@click.pass_obj
def apply(
    invocation: Invocation,
    plan_file: Path | None,
    *,
    auto_approve: bool,
    attach: str | None,
    junit_file: Path | None,
    apex_tests: ApexTestOptions,
    choices: PlanOptions,
    locking: LockOptions,
) -> int:
    """
    Change the org to match the config.

    With PLAN, applies exactly this plan, or refuses it. Without PLAN, makes a plan, shows it, and applies it after you
    answer `yes`.
    """
    from sfcode.apply.next_steps import steps_after
    from sfcode.apply.session import ApplyOptions
    from sfcode.plan.modes import Mode

    if attach:
        return _attach(invocation, attach)
    options = ApplyOptions(auto_approve, apex_tests.make_deploy_options(), locking.lock, locking.lock_timeout)
    saved = invocation.load_plan(plan_file) if plan_file else None
    if saved and choices != PlanOptions():
        raise UsageError("A saved plan is applied unchanged.", "Pass these options to `sfcode plan`.")
    project = invocation.project()
    if project.target.protected and saved is None:
        raise Refused(
            f"Environment {project.environment} is protected: only a saved plan is applied to it.",
            "sfcode plan --out FILE, have it reviewed, then: sfcode apply FILE",
        )
    request = saved or choices.make_request(Mode.APPLY)
    with write_junit(junit_file) as junit:
        result = run_apply(invocation, project, request, options, junit)
    report(invocation, result, steps=steps_after(project, result.plan, result.printed_steps))
    return ExitCode.OK


def _attach(invocation: Invocation, deploy_id: str) -> int:
    from sfcode.apply.deploy import attach
    from sfcode.apply.deploy_errors import failure
    from sfcode.apply.lock import release_attached

    project = invocation.project()
    with invocation.open_org(project) as org:
        result, org_id = attach(org, deploy_id, lambda line: print_status(invocation, line)), org.identity.org_id
        for identity in project.identities:
            release_attached(org, identity, deploy_id)
    if not result.success:
        raise failure(result, ())
    if invocation.json:
        print_envelope({"deployments": [result.id], "org": org_id})
    else:
        echo(f"The deployment {result.id} succeeded. Run `sfcode plan` to see the remaining changes.")
    return ExitCode.OK
