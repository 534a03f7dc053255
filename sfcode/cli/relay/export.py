"""`sfcode relay export`: print the data of one person in the inbox."""

from __future__ import annotations

import json as json_module

import click

from sfcode.cli.filled import FILLED
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.cli.relay.inbox import open_project_inbox


@click.command("export")
@click.argument("user", type=FILLED)
@click.pass_obj
def export_command(invocation: Invocation, user: str) -> None:
    """
    Print all data of the inbox about one person, as JSON: messages with their histories, latest values, record IDs.

    USER is the user ID in Appcues. The output contains personal data. It does not include the data in Salesforce and
    Appcues.
    """
    from sfcode.relay.person_data import export_person
    from sfcode.text import printable

    with open_project_inbox(invocation) as inbox:
        document = export_person(inbox, user)
    if invocation.json:
        print_envelope(document)
    else:
        echo("\n".join(map(printable, json_module.dumps(document, indent=2, ensure_ascii=False).split("\n"))))
