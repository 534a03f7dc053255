"""`sfcode relay learn`: propose the paths of Appcues' webhooks, and parse stored messages again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.prompt import ask
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import FileOrId, list_entries
from sfcode.errors import UsageError
from sfcode.text import count_noun, printable

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.relay.inbox import Inbox, InboxEntry
    from sfcode.relay.learn.capture import CapturedWebhook
    from sfcode.relay.learn.reread import RereadMessage
    from sfcode.secret import Secret

MOST_SHOWN = 20
NEWEST = 500
"""The number of parked messages that are parsed again per query."""


@click.command("learn")
@click.argument("source", type=FileOrId(), required=False, metavar="[ID|FILE]")
@click.option("--user-id", default="", help="The user ID in the webhook.")
@click.option("--event", default="", help="The event name in the webhook.")
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add the webhook without its values to a file of `sfcode doctor --probe`.",
)
@click.option("--dry-run", is_flag=True, help="Show the proposal and the messages without asking.")
@click.option("--auto-approve", is_flag=True, help="Replay the messages without asking.")
@click.pass_obj
def learn_command(
    invocation: Invocation,
    source: int | Path | None,
    user_id: str,
    event: str,
    evidence: Path | None,
    *,
    dry_run: bool,
    auto_approve: bool,
) -> None:
    """
    Propose the paths of the values in Appcues' webhooks from a received one, and replay parked messages with them.

    Reads a message of the inbox by its ID, a FILE with a captured request (JSON body, headers and body, or the export
    of a request bin), or by default the newest message that was not understood. The output shows IDs of users.
    """
    from sfcode.relay.group_progress import GroupProgress
    from sfcode.relay.ingress.appcues_parser import ParserSettings
    from sfcode.relay.learn.paths import KnownValues, propose_paths
    from sfcode.relay.learn.reread import propose_aliases, reread
    from sfcode.relay.learn.signature import propose_auth

    project = invocation.project()
    with open_inbox_for(invocation, source) as inbox:
        capture = find_capture(inbox, source)
        if evidence is not None:
            _add_evidence(evidence, capture)
        paths = propose_paths(capture, project, KnownValues(user_id, event))
        reading = ParserSettings.of(project).with_paths(paths)
        learned = parse_capture(capture, reading)
        auth = propose_auth(capture, _webhook_secrets())
        changes = list(reread(_list_parked(inbox) if inbox else (), reading))
        aliases = propose_aliases(
            learned + [inbox_message for change in changes for inbox_message in change.messages], project.events
        )
        document: dict[str, Any] = {
            "paths": {key: list(places) for key, places in paths.items()},
            "aliases": {name: {"as": event_name, "attributes": names} for name, (event_name, names) in aliases.items()},
            "webhook_auth": asdict(auth) if auth else None,
            "read": [_render_message(message) for message in learned],
            "messages": [{"id": change.entry.id, **_change(change)} for change in changes],
            "replayed": 0,
        }
        if not invocation.json:
            _print(document, paths, project)
        if (
            inbox
            and changes
            and not dry_run
            and _is_approved(invocation, len(changes), aliases, auto_approve=auto_approve)
        ):
            progress = GroupProgress.of(project)
            document["replayed"] = sum(
                inbox.replace(change.entry.id, progress.extend(change.messages)) for change in changes
            )
            if not invocation.json:
                echo(f"{count_noun(document['replayed'], 'message')} will be delivered.")
    if invocation.json:
        print_envelope(document)


@contextmanager
def open_inbox_for(invocation: Invocation, source: int | Path | None) -> Iterator[Inbox | None]:
    """Open the inbox; None if it does not exist and the webhook is in a file."""
    from sfcode.relay.inbox import MissingInbox

    with ExitStack() as stack:
        try:
            inbox = stack.enter_context(open_project_inbox(invocation))
        except MissingInbox:
            if not isinstance(source, Path):
                raise
            inbox = None
        yield inbox


def find_capture(inbox: Inbox | None, source: int | Path | None) -> CapturedWebhook:
    """Return a captured webhook: from a file, or from a message by its ID or the newest one that could not be parsed."""
    from sfcode.relay.learn.capture import read_capture, stored_capture

    if isinstance(source, Path):
        return read_capture(source.read_text(encoding="utf-8", errors="replace"))
    entry = _find_entry(inbox, source) if inbox else None
    capture = stored_capture(entry.payload) if entry else None
    if capture is not None:
        return capture
    if source is not None:
        raise UsageError(
            f"No message of Appcues has the ID {source}.",
            "`sfcode relay list --source appcues` shows the IDs of messages.",
        )
    raise UsageError(
        "No message of Appcues is in the inbox.", "Pass a file with a captured request, or have Appcues send an event."
    )


def _find_entry(inbox: Inbox, id_: int | None) -> InboxEntry | None:
    """Return the message with an ID, or else the newest one that could not be parsed, or the newest one."""
    if id_ is not None:
        return next(iter(list_entries(inbox, ids=(id_,))), None)
    unparsed = (entry for entry in _list_parked(inbox) if "event" not in entry.payload)
    return next(unparsed, None) or next(iter(list_entries(inbox, source="appcues", limit=1)), None)


def _add_evidence(file: Path, capture: CapturedWebhook) -> None:
    """Add a webhook without its values to a file of evidence, which is created if it does not exist."""
    from sfcode.atomic_write import write_whole
    from sfcode.evidence.redact import redact_webhook
    from sfcode.relay.ingress.header_shapes import describe_headers, describe_value

    document = _read_evidence(file)
    own = describe_headers(capture.headers.items())
    shapes = {
        name: header_value if "<" in (header_value := capture.headers[name]) else describe_value(header_value)
        for name in own
    }
    document["webhook"] = redact_webhook([capture.body, *capture.enclosing], shapes)
    write_whole(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n", "the evidence")


def _read_evidence(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"evidence": 1, "probes": [], "exchanges": []}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or "evidence" not in document:
        raise UsageError(f"{file} is not a file of `sfcode doctor --probe`.", "Pass such a file, or a new one.")
    return document


def _list_parked(inbox: Inbox) -> Sequence[InboxEntry]:
    return list_entries(inbox, source="appcues", state="parked", limit=NEWEST)


def parse_capture(capture: CapturedWebhook, reading: Any) -> list[Any]:
    """Parse the messages of a captured webhook."""
    from datetime import UTC, datetime

    from sfcode.relay.ingress.appcues_parser import messages

    return list(messages(capture.events(reading.paths), reading, "", datetime.now(UTC)))


def _webhook_secrets() -> Sequence[Secret]:
    from sfcode.relay.ingress.secrets import PREVIOUS, WEBHOOK
    from sfcode.secret import Secret

    return [Secret(value) for name in (WEBHOOK, f"{WEBHOOK}{PREVIOUS}") if (value := os.environ.get(name))]


def _is_approved(invocation: Invocation, number: int, aliases: Mapping[str, object], *, auto_approve: bool) -> bool:
    if aliases:
        print_status(invocation, "Nothing was replayed: without the aliases the relay would ignore these events.")
        return False
    hint = "Pass --auto-approve to replay them, or --dry-run to only show them."
    return auto_approve or ask(
        invocation,
        f"Do you want to replay {count_noun(number, 'message')} as shown? Only 'yes' will be accepted.",
        hint=hint,
    )


def _change(change: RereadMessage) -> dict[str, Any]:
    return {"reason": change.entry.reason, "becomes": [_render_message(message) for message in change.messages]}


def _render_message(message: Any) -> dict[str, Any]:
    if message.parked:
        return {"parked": message.parked}
    return {"event": message.kind, **{key: message.payload[key] for key in ("user_id", "group_id", "timestamp")}}


def _print(document: Mapping[str, Any], paths: Mapping[str, tuple[str, ...]], project: Project) -> None:
    from sfcode.relay.learn.capture import render_aliases, render_auth, render_paths

    settings = "\n".join(filter(None, (render_paths(paths), render_auth(document["webhook_auth"]))))
    if settings:
        echo(f"For config/sfcode.yaml:\n\n{settings}\n")
    else:
        echo("The config reads this webhook: no path has to be changed.")
    if document["webhook_auth"]:
        echo(f"Signature: {document['webhook_auth']['note']}\n")
    if document["aliases"]:
        echo(f"For config/events.yaml:\n\n{render_aliases(document['aliases'])}\n")
    echo("This webhook becomes:")
    for message in document["read"][:MOST_SHOWN]:
        echo(f"  {_line(message, project)}")
    if document["messages"]:
        echo(f"\n{count_noun(len(document['messages']), 'message')} in the inbox would be read differently:")
    for change in document["messages"][:MOST_SHOWN]:
        for message in change["becomes"]:
            echo(f"  {change['id']} ({change['reason']}) -> {_line(message, project)}")
    if len(document["messages"]) > MOST_SHOWN:
        echo(f"  and {count_noun(len(document['messages']) - MOST_SHOWN, 'message')} more; --json lists all of them")


def _line(message: Mapping[str, Any], project: Project) -> str:
    from sfcode.relay.salesforce.event_reader import config_name

    if "parked" in message:
        return f"parked: {message['parked']}"
    group = f" in group {message['group_id']}" if message["group_id"] else ""
    name, _ = config_name(message["event"], project.events)
    click_events = {use.name for mapping in project.resolved for use in mapping.click_to_track}
    unknown = not name or (name == "click_to_track" and message["event"] not in click_events)
    note = "; no mapping asks for an event of this name" if unknown else ""
    return printable(f"{message['event']} of user {message['user_id']}{group}, {message['timestamp']}{note}")
