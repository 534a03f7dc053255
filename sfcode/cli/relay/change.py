"""`sfcode relay replay`, `discard`, `pause`, `resume` and `audit`: change messages and mappings, and list these changes."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.prompt import ask
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import (
    check_chosen,
    count_messages,
    filters,
    format_count,
    id_argument,
    operator,
    read_filter,
)
from sfcode.cli.relay.table import TimeFormat, render_table, utc_option
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.relay.inbox.pauses import Scope

_CHOOSE = "Pass their IDs (sfcode relay list), or --user, --record, --event, --reason, --state, --source or --since."
_yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.command("replay")
@id_argument
@filters
@click.option("--dry-run", is_flag=True, help="Count the messages without replaying them.")
@_yes_option
@click.pass_obj
def replay_command(
    invocation: Invocation, /, ids: tuple[int, ...], *, dry_run: bool, yes: bool, **criteria: str | None
) -> None:
    """
    Deliver messages again: those with the given IDs, or all that match the options.

    Replays parked messages and dead letters, unless --state names another state; --state ready makes the next attempt
    at once. Counts the selected messages first, and asks for confirmation at a terminal. An audit line records the
    operator and the selection.
    """
    _check_selection(ids, criteria)
    if criteria.get("state") == "leased":
        raise UsageError(
            "Messages in state leased are being delivered at the moment.", "Pass --state parked, dead, ready or done."
        )
    _change(invocation, "replay", ids, criteria, dry_run=dry_run, yes=yes or not sys.stdin.isatty())


@click.command("discard")
@id_argument
@filters
@click.option("--dry-run", is_flag=True, help="Count the messages without discarding them.")
@_yes_option
@click.pass_obj
def discard_command(
    invocation: Invocation, /, ids: tuple[int, ...], *, dry_run: bool, yes: bool, **criteria: str | None
) -> None:
    """
    Set messages to done without delivering them: those with the given IDs, or all that match the options.

    Discards parked messages and dead letters, or with --state ready waiting messages. Discarded messages are kept as
    long as delivered ones; `sfcode relay replay --state done --reason discarded` delivers them after all.
    """
    _check_selection(ids, criteria)
    if criteria.get("state") in ("done", "leased"):
        condition = "done already" if criteria["state"] == "done" else "being delivered at the moment"
        raise UsageError(
            f"Messages in state {criteria['state']} are {condition}.",
            "Pass --state parked, dead or ready, or no state.",
        )
    _change(invocation, "discard", ids, criteria, dry_run=dry_run, yes=yes)


def _check_selection(ids: tuple[int, ...], criteria: dict[str, str | None]) -> None:
    if not ids and not any(criteria.values()):
        raise UsageError("No messages were chosen.", _CHOOSE)


def _change(
    invocation: Invocation,
    action: str,
    ids: tuple[int, ...],
    criteria: dict[str, str | None],
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Change the messages of a selection, after a confirmation of their number, and print the result."""
    from sfcode.relay.inbox.search import MessageCount

    ending = {"replay": "delivered again", "discard": "discarded"}[action]
    reason = criteria["reason"]
    choice = read_filter(ids, criteria)
    with open_project_inbox(invocation) as inbox:
        check_chosen(inbox, ids, reason)
        if dry_run or not (ids or yes):
            count = count_messages(inbox, choice)
        if not (dry_run or ids or yes):
            question = f"{format_count(count)} will be {ending}. Only 'yes' will be accepted."
            if (count.number or count.is_partial) and not ask(
                invocation, question, hint=f"Pass --yes to {action} without being asked."
            ):
                raise UsageError("Nothing was changed.", f"Answer yes, or pass --yes, to {action} the messages.")
        if not dry_run:
            change = inbox.replay if action == "replay" else inbox.discard
            with invocation.show_progress(f"{action.capitalize()}ing messages"):
                count = MessageCount(change(choice, operator()))
    if invocation.json:
        partial = f"Not all messages were counted: more may be {ending}."
        print_envelope({"messages": count.number, "dry_run": dry_run}, [partial] if count.is_partial else [])
        return
    verb = "would be" if dry_run else "will be" if action == "replay" else "was" if count.number == 1 else "were"
    echo(f"{format_count(count)} {verb} {ending}.")


_side_option = click.option(
    "--to",
    "side",
    type=click.Choice(["salesforce", "appcues"]),
    help="Direction: all deliveries to Salesforce, or to Appcues.",
)


@click.command("pause")
@click.argument("mapping", required=False)
@_side_option
@click.pass_obj
def pause_command(invocation: Invocation, mapping: str | None, side: str | None) -> None:
    """
    Pause the deliveries of a MAPPING or a direction, in all processes within seconds.

    The relay still accepts messages, which wait in their order. A pause remains after a restart, until
    `sfcode relay resume`.
    """
    scope, name = _scope(invocation.project(), mapping, side)
    with open_project_inbox(invocation) as inbox:
        is_new = inbox.pause(scope, name, operator())
        (pause,) = [pause for pause in inbox.pauses() if (pause.scope, pause.name) == (scope, name)]
    if invocation.json:
        print_envelope({"scope": scope, "name": name, "who": pause.who, "changed": is_new})
    else:
        ending = "paused" if is_new else f"paused already, by {pause.who}"
        echo(f"{_title(scope, name)}: {ending}.")


@click.command("resume")
@click.argument("mapping", required=False)
@_side_option
@click.pass_obj
def resume_command(invocation: Invocation, mapping: str | None, side: str | None) -> None:
    """End the pause of a MAPPING or a direction; its waiting messages are delivered within seconds."""
    from sfcode.relay.current_pauses import find_pauses

    scope, name = _scope(None, mapping, side)
    present_names = invocation.project().present_names
    with open_project_inbox(invocation) as inbox:
        pauses = find_pauses(inbox.pauses(), scope, name, present_names)
        resumed = [pause for pause in pauses if inbox.resume(scope, pause.name, operator())]
        if not resumed:
            raise UsageError(f"{name} is not paused.", "`sfcode relay status` shows what is paused.")
    if invocation.json:
        print_envelope({"scope": scope, "name": name})
    else:
        echo(f"{_title(scope, name)}: resumed.")


def _title(scope: Scope, name: str) -> str:
    return f"Mapping {name}" if scope == "mapping" else f"Deliveries to {name.capitalize()}"


def _scope(project: Project | None, mapping: str | None, side: str | None) -> tuple[Scope, str]:
    """
    Return the mapping or direction to pause or resume.

    If the project is passed, the mapping must be part of it, by its present or a former name; upper and lower case are equal.
    """
    if (mapping is None) == (side is None):
        raise UsageError(
            "Pass a mapping, or --to salesforce or --to appcues.", "Pass either a mapping or --to, not both."
        )
    if side is not None:
        return "direction", side
    name = mapping or ""
    if project is not None:
        names = [resolved.name for resolved in project.resolved if resolved.by_relay]
        name = project.present_names.get(name.lower(), name)
        if name not in names:
            raise UsageError(f"The relay carries no mapping {name}.", f"It carries {', '.join(names) or 'none'}.")
    return "mapping", name


@click.command("audit")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Number of lines.")
@utc_option
@click.pass_obj
def audit_command(invocation: Invocation, limit: int, *, utc: bool) -> None:
    """List replays, discards, pauses, resumes, acknowledgments and removals with their operators, the newest first."""
    from sfcode.relay.report import stamp

    with open_project_inbox(invocation) as inbox:
        lines = inbox.audit_lines(limit)
    if invocation.json:
        print_envelope(
            [
                {
                    "id": line.id,
                    "at": stamp(line.at),
                    "who": line.who,
                    "action": line.action,
                    "selection": dict(line.selection),
                    "number": line.number,
                }
                for line in lines
            ]
        )
        return
    times = TimeFormat(utc=utc)
    header = ["ID", f"AT ({times.zone})", "WHO", "ACTION", "NUMBER", "SELECTION"]
    rows = [
        [
            str(line.id),
            times.format(line.at),
            line.who,
            line.action,
            f"{line.number:,}",
            json_module.dumps(line.selection),
        ]
        for line in lines
    ]
    if lines:
        echo("\n".join(render_table(header, rows)))
    else:
        print_status(invocation, "No changes are recorded.")
