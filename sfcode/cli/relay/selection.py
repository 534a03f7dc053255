"""The options that select messages, and the selection itself."""

from __future__ import annotations

import getpass
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.filled import FILLED
from sfcode.cli.global_options import Command
from sfcode.errors import UsageError
from sfcode.text import count_noun

if TYPE_CHECKING:
    from sfcode.relay.inbox import Filter, Inbox, InboxEntry
    from sfcode.relay.inbox.search import MessageCount, SearchPage

LARGEST_ID = 2**63 - 1
"""The largest integer of the databases."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WHEN = "this time (2026-11-23T17:00Z) or age (30m, 12h, 7d)."


class FileOrId(click.ParamType):  # type: ignore[type-arg]  # no arguments at run time
    """The ID of a message as an integer, or the path of a file."""

    name = "file or ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Path:
        """Return the ID or the path."""
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(MESSAGE_ID(value, param, ctx))
        return Path(value)


MESSAGE_ID = click.IntRange(1, LARGEST_ID)


def filters(command: Command) -> Command:
    """Add the options that select messages."""
    for option in (
        click.option("--until", metavar="WHEN", help=f"Messages received before {_WHEN}"),
        click.option("--since", metavar="WHEN", help=f"Messages received since {_WHEN}"),
        click.option("--user", type=FILLED, metavar="ID", help="ID of the user in Appcues."),
        click.option(
            "--record",
            type=FILLED,
            metavar="ID",
            help="Salesforce record that the messages come from or wrote: its ID, the URL of its page, or its external ID.",
        ),
        click.option(
            "--event", "--kind", "kind", type=FILLED, metavar="NAME", help="Name of the event, or of the mapping."
        ),
        click.option("--source", type=click.Choice(["appcues", "salesforce"]), help="The side that sent the messages."),
        click.option(
            "--reason",
            type=FILLED,
            metavar="NAME",
            help="Reason why messages are parked, given up, paused or discarded.",
        ),
        click.option(
            "--state", type=click.Choice(["ready", "leased", "done", "parked", "dead"]), help="State of the messages."
        ),
    ):
        command = option(command)
    return command


def operator() -> str:
    """Return the user of this command for audit lines: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def id_argument(command: Command) -> Command:
    """Add the argument for the IDs of messages."""
    return click.argument("ids", type=MESSAGE_ID, nargs=-1, metavar="[ID]...")(command)


def check_chosen(inbox: Inbox, ids: tuple[int, ...], reason: str | None) -> None:
    """Raise UsageError for IDs that no message has, and for an unknown reason."""
    from sfcode.config.did_you_mean import find_nearest_name
    from sfcode.relay.inbox import Filter
    from sfcode.relay.reasons import REASONS, hint_for

    missing = sorted(set(ids) - {entry.id for entry in inbox.page(Filter(ids=ids), len(ids))}) if ids else []
    if missing:
        raise UsageError(
            f"No message has the ID {', '.join(map(str, missing))}.", "`sfcode relay list` shows the IDs of messages."
        )
    if (
        reason is None
        or hint_for(reason)
        or any(reason == known_reason for _, _, known_reason in inbox.stats().reasons)
    ):
        return
    nearest = find_nearest_name(reason, REASONS)
    raise UsageError(
        f"There is no reason {reason!r}.",
        (f"Did you mean {nearest}? " if nearest else "")
        + "`sfcode relay status` lists the reasons of blocked messages.",
    )


def read_filter(ids: tuple[int, ...], fields: dict[str, Any]) -> Filter:
    """Return the filter for the options."""
    from sfcode.org.identity import find_record_id
    from sfcode.relay.inbox import Filter

    now = datetime.now(UTC)
    since, until = moment(fields.pop("since", None), now), moment(fields.pop("until", None), now)
    user, record = fields.pop("user", None), fields.pop("record", None)
    subject = f"user:{user}" if user else None
    return Filter(
        ids=ids or None,
        subject=subject,
        record=(find_record_id(record) or record) if record else None,
        since=since,
        until=until,
        **fields,
    )


def moment(text: str | None, now: datetime) -> datetime | None:
    """Parse a time: an ISO time (UTC without an offset), or an age."""
    if text is None:
        return None
    number, unit = text[:-1], text[-1:]
    try:
        if unit in UNITS and number.isascii() and number.isdigit() and len(number) < 7:
            return now - timedelta(**{UNITS[unit]: int(number)})
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # also for a time before the year 1
        raise UsageError(
            f"{text!r} is not a time.", "Write it like 2026-11-23T17:00Z, or as an age: 30m, 12h, 7d."
        ) from None


def search_messages(inbox: Inbox, choice: Filter, limit: int) -> SearchPage:
    """Return the newest messages that match a filter; the page is partial if the search ended before the page was full."""
    from sfcode.relay.inbox.search import read_pages

    return read_pages(partial(inbox.search, choice), limit, until_partial=True)


def list_entries(inbox: Inbox, *, limit: int = 500, **fields: Any) -> list[InboxEntry]:
    """Return the newest messages that match the fields of a filter."""
    from sfcode.relay.inbox import Filter

    return list(inbox.page(Filter(**fields), limit))


def count_messages(inbox: Inbox, choice: Filter) -> MessageCount:
    """Count the messages that a change would select: by the counters if possible, else by a query."""
    from sfcode.relay.inbox.search import MessageCount

    states = ("parked", "dead") if choice.state is None else (choice.state,)
    if choice == replace(choice, ids=None, kind=None, subject=None, record=None, since=None, until=None):
        counted = inbox.stats().counts_by_reason
        return MessageCount(
            sum(
                number
                for (source, state, reason), number in counted.items()
                if state in states and choice.source in (None, source) and choice.reason in (None, reason)
            )
        )
    return inbox.count(choice)


def format_count(count: MessageCount) -> str:
    """Return a number of messages in words."""
    words = count_noun(count.number, "message")
    return f"{words} or more" if count.is_partial else words
