"""`sfcode rollback`: restore what an apply replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfcode.cli.apply_session import report, run_apply
from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation
from sfcode.cli.options import LockOptions, allow_delete_option, lock_options
from sfcode.cli.output import echo, print_envelope
from sfcode.errors import ExitCode
from sfcode.metadata.component import Address
from sfcode.text import count_noun

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.plan.state import Past

REVERT_CONFIG = "If the config still has these changes, revert them there too: the next apply makes them again."


@click.command()
@click.argument("apply_id", metavar="[APPLY_ID]", required=False)
@click.option("--list", "listing", is_flag=True, help="List the applies that can be rolled back, newest first.")
@click.option("--auto-approve", is_flag=True, help="Skip the approval.")
@allow_delete_option
@lock_options
@click.pass_obj
def rollback(
    invocation: Invocation,
    apply_id: str | None,
    *,
    listing: bool,
    auto_approve: bool,
    allow_delete: tuple[Address, ...],
    locking: LockOptions,
) -> int:
    """
    Restore what an apply replaced: the apply APPLY_ID, or the last one.

    Reads the previous components from the history in the org, so it works on any machine. Also restores users and
    assignments, and deactivates a user that the apply created. Does not change the config: revert it too, or the next
    apply makes the same changes again.
    """
    from sfcode.apply.session import ApplyOptions
    from sfcode.plan.modes import Mode, PlanRequest

    project = invocation.project()
    if listing:
        return _list(invocation, project)
    request = PlanRequest(Mode.ROLLBACK, allow_delete=allow_delete, apply_id=apply_id)
    options = ApplyOptions(auto_approve, lock=locking.lock, lock_timeout=locking.lock_timeout, verb="rollback")
    report(invocation, run_apply(invocation, project, request, options), steps=REVERT_CONFIG)
    return ExitCode.OK


def _list(invocation: Invocation, project: Project) -> int:
    from sfcode.plan.gather import read_applied

    with only_reading(), invocation.open_org(project) as org:
        history = read_applied(org, project).history
    if invocation.json:
        print_envelope([_row(past) for past in history])
    elif not history:
        echo("This org has no apply that can be rolled back.")
    else:
        for past in history:
            echo(f"{past.id}  {past.applied_at}  {past.applied_by}  {count_noun(len(past.before), 'component')}")
    return ExitCode.OK


def _row(past: Past) -> dict[str, object]:
    return {
        "id": past.id,
        "applied_at": past.applied_at,
        "applied_by": past.applied_by,
        "revision": past.revision,
        "addresses": sorted(map(str, past.before)),
    }
