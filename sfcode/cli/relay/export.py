"""`sfcode relay export`: print the data of one person in the inbox."""

from __future__ import annotations

import json as json_module

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import FILLED


@click.command("export")
@click.argument("user", type=FILLED)
@click.pass_obj
def export_command(invocation: Invocation, user: str) -> None:
    """
    Print everything that the inbox holds of one person, as JSON: messages with their histories, latest values, record ids.

    USER is the user id in Appcues. The output holds personal data. What Salesforce and Appcues hold is not part of it.
    """
    from sfcode.relay.person_data import export_person
    from sfcode.text import printable

    with open_project_inbox(invocation) as inbox:
        document = export_person(inbox, user)
    if invocation.json:
        print_envelope(document)
    else:
        echo("\n".join(map(printable, json_module.dumps(document, indent=2, ensure_ascii=False).split("\n"))))
