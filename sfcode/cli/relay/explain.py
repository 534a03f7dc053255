"""`sfcode relay explain`: what an event of Appcues would write."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.cli.relay.selection import FileOrId

if TYPE_CHECKING:
    from sfcode.relay.explain import Explanation


@click.command("explain")
@click.argument("source", type=FileOrId(), metavar="FILE|ID")
@click.pass_obj
def explain_command(invocation: Invocation, source: int | Path) -> None:
    """
    Show what an event of Appcues would write to Salesforce, and to its group in Appcues.

    Shows the result of a delivery, the writes, and a hint if the message would be blocked. Values may be personal data. Reads a
    message of the inbox by its ID, or a FILE with the JSON of a webhook. Looks up records as the integration user and writes
    nothing.
    """
    from sfcode.cli.relay.learn import find_capture, open_inbox_for, parse_capture
    from sfcode.relay.explain import explain
    from sfcode.relay.group_progress import GroupProgress
    from sfcode.relay.ingress.appcues_parser import ParserSettings

    project = invocation.project()
    with open_inbox_for(invocation, source) as inbox, invocation.open_org(project, as_integration=True) as org:
        capture = find_capture(inbox, source)
        messages = GroupProgress.of(project).extend(parse_capture(capture, ParserSettings.of(project)))
        explanations = explain(project, org, messages, inbox.latest if inbox else lambda _: {})
    if invocation.json:
        print_envelope([asdict(explanation) for explanation in explanations])
        return
    for explanation in explanations:
        echo("\n".join(_lines(explanation)))


def _lines(explanation: Explanation) -> list[str]:
    lines = [
        f"{explanation.kind} of {explanation.key.replace(':', ' ', 1)}: {explanation.state}{f' ({explanation.note})' if explanation.note else ''}"
    ]
    lines += [f"  {explanation.hint}"] if explanation.hint else []
    for write in explanation.writes:
        lines.append(f"  {write.verb} {write.object}" + (f" {write.key} = {write.id}" if write.key else ""))
        lines += [f"    {name} = {_value(value)}" for name, value in sorted(write.fields.items())]
    return lines if explanation.writes or explanation.hint else [*lines, "  Nothing would be written."]


def _value(value: Any) -> str:
    return "null" if value is None else str(value).replace("\n", " ")
