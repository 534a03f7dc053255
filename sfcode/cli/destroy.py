"""`sfcode destroy`: take the integration down in an org."""

from __future__ import annotations

import click

from sfcode.cli.apply_session import report, run_apply
from sfcode.cli.invocation import Invocation
from sfcode.cli.lock_options import lock_options
from sfcode.cli.options import allow_delete_option
from sfcode.errors import ExitCode
from sfcode.metadata.component import Address


@click.command()
@click.option("--auto-approve", is_flag=True, help="Do not ask; a protected environment asks all the same.")
@allow_delete_option
@lock_options
@click.pass_obj
def destroy(
    invocation: Invocation, *, auto_approve: bool, lock: bool, lock_timeout: float, allow_delete: tuple[Address, ...]
) -> int:
    """
    Take the integration down: delete what sfcode put into the org and deactivate the integration user.

    What sfcode did not put there stays. Fields that hold values go only with --allow-delete.
    """
    from sfcode.apply.session import ApplyOptions
    from sfcode.plan.modes import Mode, PlanRequest

    request = PlanRequest(Mode.DESTROY, allow_delete=allow_delete)
    options = ApplyOptions(auto_approve, lock=lock, lock_timeout=lock_timeout, verb="destroy")
    report(invocation, run_apply(invocation, invocation.project(), request, options))
    return ExitCode.OK
