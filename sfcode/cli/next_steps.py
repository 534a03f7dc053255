"""`sfcode next-steps`: print the manual steps."""

from __future__ import annotations

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope


@click.command(name="next-steps")
@click.pass_obj
def next_steps(invocation: Invocation) -> None:
    """
    Print the manual steps in Appcues and for the relay, with this project's values.

    Apply prints them after a change. Works offline: it does not check which steps are done already.
    """
    from sfcode.apply.next_steps import next_steps as describe_next_steps

    text = describe_next_steps(invocation.project())
    if invocation.json:
        print_envelope({"next_steps": text.splitlines()})
    else:
        echo(text or "No manual steps are left.")
