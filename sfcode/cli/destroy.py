"""`sfcode destroy`: remove the integration in an org."""

from __future__ import annotations

import click

from sfcode.cli.apply_session import report, run_apply
from sfcode.cli.invocation import Invocation
from sfcode.cli.options import LockOptions, allow_delete_option, lock_options
from sfcode.errors import ExitCode
from sfcode.metadata.component import Address


@click.command()
@click.option("--auto-approve", is_flag=True, help="Skip the approval, except in a protected environment.")
@allow_delete_option
@lock_options
@click.pass_obj
def destroy(
    invocation: Invocation, *, auto_approve: bool, allow_delete: tuple[Address, ...], locking: LockOptions
) -> int:
    """
    Remove the integration: delete what sfcode manages in the org and deactivate the integration user.

    Unmanaged components stay. Fields that hold values are deleted only with --allow-delete.
    """
    from sfcode.apply.session import ApplyOptions
    from sfcode.plan.modes import Mode, PlanRequest

    request = PlanRequest(Mode.DESTROY, allow_delete=allow_delete)
    options = ApplyOptions(auto_approve, lock=locking.lock, lock_timeout=locking.lock_timeout, verb="destroy")
    report(invocation, run_apply(invocation, invocation.project(), request, options))
    return ExitCode.OK
