"""`sfcode force-unlock`: remove the lock of an apply that has ended."""

from __future__ import annotations

import click

from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.cli.prompt import ask
from sfcode.errors import ExitCode, Refused


@click.command(name="force-unlock")
@click.argument("lock_id", metavar="LOCK_ID")
@click.option("--force", is_flag=True, help="Skip the approval.")
@click.pass_obj
def force_unlock(invocation: Invocation, lock_id: str, *, force: bool) -> int:
    """
    Remove the lock of an apply that has ended.

    The message of the refused command contains LOCK_ID. If the apply is still running, it stops before its next step.
    Nothing else changes in the org.
    """
    from sfcode.apply.lock import find_locks, remove_lock

    project = invocation.project()
    with invocation.open_org(project) as org:
        with only_reading():
            locks = find_locks(org, project.identities)
            lock = next((candidate for candidate in locks if candidate.id[:15] == lock_id[:15]), None)
            if lock is None:
                held_locks = " ".join(f"The lock is {other.id}, held by {other}." for other in locks)
                raise Refused(
                    f"There is no lock {lock_id} in {org.identity.name}.", held_locks or "The org is not locked."
                )
            if not force:
                question = (
                    f"The org is locked by {lock}.\nAre you sure that it no longer runs? Only 'yes' will be accepted."
                )
                if not ask(
                    invocation,
                    question,
                    hint="Pass --force if you are sure that the holder of the lock no longer runs.",
                ):
                    raise Refused("Canceled; nothing was changed.")
        remove_lock(org, lock.id)
    if invocation.json:
        print_envelope({"unlocked": lock.id, "holder": str(lock)})
    else:
        echo(f"Removed the lock of {lock}.")
    return ExitCode.OK
