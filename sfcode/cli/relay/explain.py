"""`sfcode relay explain`: what an event of Appcues would write to Salesforce."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.cli.relay.inbox import open_project_inbox

if TYPE_CHECKING:
    from sfcode.relay.salesforce.explain import Explanation


@click.command("explain")
@click.argument("source", metavar="FILE|ID")
@click.pass_obj
def explain_command(invocation: Invocation, source: str) -> None:
    """
    Show what an event of Appcues would write to Salesforce, where and why.

    Takes a message of the inbox by its ID, or a FILE with the JSON of a webhook. Looks up records as the integration user and
    writes nothing. Shows the values, which may be personal data.
    """
    from sfcode.cli.relay.learn import find_capture, parse_capture
    from sfcode.relay.ingress.appcues_parser import Reading
    from sfcode.relay.salesforce.explain import explain

    project = invocation.project()
    with open_project_inbox(invocation, create=True) as inbox, invocation.open_org(project, as_integration=True) as org:
        messages = parse_capture(find_capture(inbox, source), Reading.of(project))
        found = explain(project, org, messages, inbox.latest)
    if invocation.json:
        print_envelope([asdict(each) for each in found])
        return
    for each in found:
        echo("\n".join(_lines(each)))


def _lines(found: Explanation) -> list[str]:
    lines = [
        f"{found.kind} of {found.key.replace(':', ' ', 1)}: {found.state}{f' ({found.note})' if found.note else ''}"
    ]
    lines += [f"  {found.hint}"] if found.hint else []
    for write in found.writes:
        lines.append(f"  {write.verb} {write.object} {write.key} = {write.id}")
        lines += [f"    {name} = {_value(value)}" for name, value in sorted(write.fields.items())]
    return lines if found.writes or found.hint else [*lines, "  Nothing would be written."]


def _value(value: Any) -> str:
    return "null" if value is None else str(value).replace("\n", " ")
