"""`sfcode destroy`: take the integration down in an org."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfcode.cli.apply_session import perform, report
from sfcode.cli.lock_options import Locking, lock_options
from sfcode.cli.options import allow_delete_option
from sfcode.cli.session import Session
from sfcode.errors import ExitCode
from sfcode.metadata.component import Address

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.plan.planner import Made


@click.command()
@click.option("--auto-approve", is_flag=True, help="Do not ask; a protected environment asks all the same.")
@allow_delete_option
@lock_options
@click.pass_obj
def destroy(
    session: Session, *, auto_approve: bool, lock: bool, lock_timeout: float, allow_delete: tuple[Address, ...]
) -> int:
    """
    Take the integration down: delete what sfcode put into the org and deactivate the integration user.

    What sfcode did not put there stays. Fields that hold values go only with --allow-delete.
    """
    from sfcode.org import DeployOptions
    from sfcode.plan.planner import make_destroy

    def make(project: Project, org: Org, secrets: dict[str, str]) -> Made:
        return make_destroy(project, org, secrets, allow_delete=allow_delete)

    project = session.project()
    done = perform(
        session,
        project,
        make,
        saved=None,
        auto_approve=auto_approve,
        options=DeployOptions(),
        locking=Locking(lock, lock_timeout),
    )
    report(session, done)
    return ExitCode.OK
