"""`sfcode viewers`: list and change the users who can read the fields that sfcode creates."""

from __future__ import annotations

import click

from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_names, print_status


@click.group()
def viewers() -> None:
    """
    Show and change the users who can read the data that Appcues writes.

    Fields that sfcode creates are visible only to people with the viewers' permission set. `viewers:` in
    sfcode.yaml keeps a list of them; these commands change only the org.
    """


@viewers.command("list")
@click.pass_obj
def list_command(invocation: Invocation) -> None:
    """List the usernames that have the viewers' permission set."""
    from sfcode.apply.viewers import list_viewers

    project = invocation.project()
    with only_reading(), invocation.open_org(project) as org:
        usernames = list_viewers(org, project)
    if invocation.json:
        print_envelope({"viewers": list(usernames)})
        return
    for username in usernames:
        echo(username)
    if not usernames:
        print_status(invocation, "No user has access to the fields yet.")


@viewers.command()
@click.argument("usernames", metavar="[USERNAME]...", nargs=-1)
@click.pass_obj
def add(invocation: Invocation, usernames: tuple[str, ...]) -> None:
    """Assign the viewers' permission set to these users; without USERNAME to the signed-in user."""
    from sfcode.apply.viewers import add_viewers

    project = invocation.project()
    with invocation.open_org(project) as org:
        usernames = usernames or (org.identity.username,)
        add_viewers(org, project, usernames)
    print_names(invocation, "added", usernames)


@viewers.command()
@click.argument("usernames", metavar="USERNAME...", nargs=-1, required=True)
@click.pass_obj
def remove(invocation: Invocation, usernames: tuple[str, ...]) -> None:
    """Remove the viewers' permission set from these users."""
    from sfcode.apply.viewers import remove_viewers

    project = invocation.project()
    with invocation.open_org(project) as org:
        remove_viewers(org, project, usernames)
    print_names(invocation, "removed", usernames)
