"""`sfcode relay list`, `show` and `tail`: look at messages."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import MESSAGE_ID, filters, read_filter, search_messages
from sfcode.cli.relay.table import TimeFormat, render_table, utc_option
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.relay.inbox import InboxEntry


@click.command("list")
@filters
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Number of messages, the newest first."
)
@click.option("--payload", is_flag=True, help="Show payloads, which may hold personal data.")
@utc_option
@click.pass_obj
def list_command(invocation: Invocation, /, limit: int, *, payload: bool, utc: bool, **criteria: str | None) -> None:
    """
    List messages of the inbox, the newest first.

    Times are in your time zone (TZ), or in UTC with --utc. `sfcode relay show ID` shows the history of one message.
    """
    from sfcode.relay.report import message_document, stamp
    from sfcode.text import printable

    with open_project_inbox(invocation) as inbox:
        page = search_messages(inbox, read_filter((), criteria), limit)
    entries = page.entries
    partial = ""
    if page.is_partial and page.last is not None:
        # Others may have been received at the same time as the last one: they are searched again.
        until = stamp(page.last[0] + timedelta(microseconds=1))
        partial = (
            f"Searched the messages received since {stamp(page.last[0])}. Pass --until {until} to search older ones."
        )
    if invocation.json:
        warnings = [partial] if partial else []
        print_envelope([message_document(entry, payload=payload) for entry in entries], warnings)
        return
    header, *lines = render_table(*_table(entries, TimeFormat(utc=utc)))
    if not entries:
        print_status(invocation, partial or "No messages match.")
        return
    echo(header)
    for entry, line in zip(entries, lines, strict=True):
        echo(line)
        if payload:
            text = json_module.dumps(dict(entry.payload), indent=2, ensure_ascii=False)
            echo("\n".join(map(printable, text.split("\n"))))
    if partial:
        print_status(invocation, partial, aside=True)


def _table(entries: Sequence[InboxEntry], times: TimeFormat) -> tuple[list[str], list[list[str]]]:
    """Return the header and the cells of a list of messages, without payloads, users' IDs and the long IDs of senders."""
    header = ["ID", f"RECEIVED ({times.zone})", "SOURCE", "EVENT", "STATE", "TRIES", "DETAIL"]
    rows = [
        [
            str(entry.id),
            times.format(entry.received_at),
            entry.source,
            entry.kind,
            f"{entry.state} {entry.reason}".rstrip(),
            str(entry.attempts),
            entry.detail,
        ]
        for entry in entries
    ]
    return header, rows


@click.command("show")
@click.argument("id_", type=MESSAGE_ID, metavar="ID")
@click.option("--payload", is_flag=True, help="Show the payload, which may hold personal data.")
@utc_option
@click.pass_obj
def show_command(invocation: Invocation, id_: int, *, payload: bool, utc: bool) -> None:
    """
    Show the history of a message: its receipt, each attempt, the written records, and what to do.

    ID is the number that `sfcode relay list` shows. The output names fields and records, but shows no values without
    --payload.
    """
    from sfcode.relay.service import INSTANCE_URL
    from sfcode.relay.story import render_story, story_document, tell_story
    from sfcode.text import printable

    with open_project_inbox(invocation) as inbox:
        stored, instance_url = inbox.find(id_), inbox.recall(INSTANCE_URL)
    if stored is None:
        raise UsageError(f"No message has the ID {id_}.", "`sfcode relay list` shows the IDs of messages.")
    story = tell_story(stored, instance_url)
    if invocation.json:
        print_envelope(story_document(story, payload=payload))
        return
    for line in render_story(story, TimeFormat(utc=utc).format):
        echo(line)
    if payload:
        text = json_module.dumps(dict(stored.entry.payload), indent=2, ensure_ascii=False)
        echo("\n".join(map(printable, text.split("\n"))))


@click.command("tail")
@click.option(
    "--for", "seconds", type=click.FloatRange(0), metavar="SECONDS", help="Stop after this number of seconds."
)
@utc_option
@click.pass_obj
def tail_command(invocation: Invocation, seconds: float | None, *, utc: bool) -> None:
    """
    Follow new messages and their results, until Ctrl-C.

    With --json, prints one JSON object on each line.
    """
    from sfcode.relay.tail import EVERY, change_document, follow, render_change

    times = TimeFormat(utc=utc)
    end = None if seconds is None else time.monotonic() + seconds
    with suppress(KeyboardInterrupt), open_project_inbox(invocation) as inbox:
        for changes in follow(inbox):
            for change in changes:
                line = render_change(change, times.format)
                echo(json_module.dumps(change_document(change)) if invocation.json else line)
            if end is not None and time.monotonic() + EVERY > end:
                return
            time.sleep(EVERY)
