"""`sfcode relay status`, `list`, `replay`, `forget` and `ack`: show the inbox and act on it."""

from __future__ import annotations

import getpass
import hashlib
import json as json_module
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.relay.inbox import Filter, Inbox, InboxEntry

Command = TypeVar("Command", bound=Callable[..., Any])
PAGE = 500
READ_SECONDS = 15.0
"""The time limit of a query of the inbox, since the relay's work has priority."""
LARGEST_ID = 2**63 - 1
"""What the databases can hold."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def filters(command: Command) -> Command:
    """Add the options that choose messages."""
    for option in (
        click.option(
            "--since",
            metavar="WHEN",
            help="Received since then: a time like 2026-11-23T17:00Z, or an age: 30m, 12h, 7d.",
        ),
        click.option("--user", metavar="ID", help="The user in Appcues whom they are about."),
        click.option("--kind", metavar="NAME", help="Name of the event, or of the mapping."),
        click.option("--source", type=click.Choice(["appcues", "salesforce"]), help="The side they come from."),
        click.option("--reason", metavar="NAME", help="Why they are parked or given up."),
        click.option("--state", type=click.Choice(["ready", "leased", "done", "parked", "dead"]), help="Their state."),
    ):
        command = option(command)
    return command


@click.command("status")
@click.pass_obj
def status_command(invocation: Invocation) -> None:
    """Show queue sizes, blocked messages, alarms and running processes."""
    from sfcode.relay.report import ApiStatus, scheduled_status, status_document, text

    with open_project_inbox(invocation) as inbox:
        stats, processes, raised, runs = inbox.stats(), inbox.processes(), inbox.alarms(), inbox.scheduled_runs()
        counts = inbox.api_calls.last_day()
    settings = invocation.project().settings.relay
    schedule, api_calls = scheduled_status(settings.schedule, runs), ApiStatus(settings.api_calls_per_day, counts)
    if invocation.json:
        print_envelope(status_document(stats, processes, raised, schedule, api_calls=api_calls))
    else:
        echo(text(stats, processes, raised, paint, schedule, api_calls=api_calls))


@click.command("list")
@filters
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Number of messages, the newest first."
)
@click.option("--payload", is_flag=True, help="Show payloads, which may hold personal data.")
@click.pass_obj
def list_command(invocation: Invocation, /, limit: int, *, payload: bool, **criteria: str | None) -> None:
    """List messages of the inbox, the newest first."""
    from sfcode.relay.report import message_document, message_line
    from sfcode.text import printable

    with open_project_inbox(invocation) as inbox:
        entries = list(_pages(inbox, _filter((), criteria), limit))
    if invocation.json:
        print_envelope([message_document(entry, payload=payload) for entry in entries])
        return
    for entry in entries:
        echo(message_line(entry))
        if payload:
            text = json_module.dumps(dict(entry.payload), indent=2, ensure_ascii=False)
            echo("\n".join(map(printable, text.split("\n"))))
    if not entries:
        print_status(invocation, "No messages match.")


@click.command("replay")
@click.argument("ids", type=click.IntRange(1, LARGEST_ID), nargs=-1, metavar="[ID]...")
@filters
@click.option("--dry-run", is_flag=True, help="Count the messages without replaying them.")
@click.pass_obj
def replay_command(invocation: Invocation, /, ids: tuple[int, ...], *, dry_run: bool, **criteria: str | None) -> None:
    """
    Deliver messages again: those with the given IDs, or all that match the options.

    Replays parked messages and dead letters, unless --state names another state.
    """
    if not ids and not any(criteria.values()):
        raise UsageError(
            "No messages were chosen.", "Pass their ids (sfcode relay list), or --reason, --state, --source or --kind."
        )
    if criteria.get("state") in ("ready", "leased"):
        raise UsageError(
            f"Messages in state {criteria['state']} are being delivered already.", "Pass --state parked, dead or done."
        )
    choice = _filter(ids, criteria)
    with open_project_inbox(invocation) as inbox:
        _check_chosen(inbox, ids, criteria["reason"])
        count = _count(inbox, choice) if dry_run else inbox.replay(choice, operator())
    if invocation.json:
        print_envelope({"messages": count, "dry_run": dry_run})
    else:
        messages = "1 message" if count == 1 else f"{count:,} messages"
        echo(f"{messages} would be delivered again." if dry_run else f"{messages} will be delivered again.")


@click.command("ack")
@click.argument("alarm")
@click.option(
    "--attribute",
    metavar="MAPPING.ATTRIBUTE",
    help="With clearing_stopped: only for this attribute, such as contact.plan.",
)
@click.pass_obj
def ack_command(invocation: Invocation, alarm: str, attribute: str | None) -> None:
    """
    Acknowledge an alarm by the number that status shows, or all alarms of a name.

    Acknowledging clearing_stopped lets the relay clear attributes again; reconcile or backfill then sends the
    withheld changes.
    """
    from sfcode.relay.appcues.null_guard import ALARM, resume_clearing, stopped_clearing

    project = invocation.project()
    resumed: list[str] = []
    with open_project_inbox(invocation) as inbox:
        raised = [raised_alarm for raised_alarm in inbox.alarms() if alarm in (raised_alarm.name, str(raised_alarm.id))]
        if alarm != ALARM and raised and raised[0].name == ALARM:
            attribute = raised[0].detail.partition(" ")[0]
        stopped = stopped_clearing(project, inbox.latest) if attribute or alarm == ALARM else ()
        for guard in stopped:
            name = f"{guard.mapping}.{guard.attribute}"
            if attribute in (None, name):
                resume_clearing(inbox, guard, datetime.now(UTC))
                resumed.append(name)
        if len(resumed) < len(stopped):
            raised = [raised_alarm for raised_alarm in raised if raised_alarm.detail.partition(" ")[0] in resumed]
        inbox.acknowledge((raised_alarm.id for raised_alarm in raised), operator())
    if not raised and not resumed:
        message = f"{alarm} is not raised" + (f" for {attribute}" if attribute else "")
        raise UsageError(f"{message}.", "`sfcode relay status` lists the alarms.")
    if invocation.json:
        print_envelope({"alarm": alarm, "attributes": resumed})
    else:
        echo(f"{alarm} is acknowledged" + (f": {', '.join(resumed)} may be cleared again." if resumed else "."))


@click.command("forget")
@click.argument("user")
@click.option("--dry-run", is_flag=True, help="Count what would be removed without removing it.")
@click.pass_obj
def forget_command(invocation: Invocation, user: str, *, dry_run: bool) -> None:
    """
    Delete the data of one person from the inbox: messages, latest values and notes.

    USER is the user id in Appcues. Nothing is changed in Salesforce or Appcues. An audit line with a hash of the ID is kept.
    """
    from sfcode.relay.person_data import state_names

    digest = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
    with open_project_inbox(invocation) as inbox:
        person = inbox.find_person(user, state_names(user))
        messages, states = len(person.messages), len(person.states)
        if not dry_run:
            messages, states = inbox.forget(person, {"user_sha256": digest}, operator())
    if invocation.json:
        print_envelope({"messages": messages, "values": states, "user_sha256": digest, "dry_run": dry_run})
        return
    summary = f"{messages:,} {'message' if messages == 1 else 'messages'} and {states:,} latest values"
    echo(f"{summary} would be removed." if dry_run else f"{summary} were removed. Audit: user sha256 {digest[:16]}.")


def operator() -> str:
    """Return who runs this command, for audit lines: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


@contextmanager
def open_project_inbox(invocation: Invocation, *, create: bool = False) -> Iterator[Inbox]:
    """Open the inbox of the project; unless `create`, one that is not there is an error."""
    from sfcode.relay.inbox import open_inbox
    from sfcode.relay.settings import data_keys, database_url

    url = database_url(invocation.project(), os.environ).reveal()
    with open_inbox(url, create=create, keys=data_keys(os.environ)) as inbox:
        yield inbox if create else inbox.limit_reads(READ_SECONDS)


@contextmanager
def open_both(invocation: Invocation, project: Project) -> Iterator[tuple[Inbox, Org]]:
    """Open the inbox of the project and the org, and count the requests of the block in the inbox."""
    from sfcode.relay.api_calls import PendingApiCalls

    calls = PendingApiCalls()
    with open_project_inbox(invocation, create=True) as inbox:
        try:
            with invocation.open_org(project, as_integration=True, count=calls.count) as org:
                yield inbox, org
        finally:
            calls.flush(inbox.api_calls)


def _check_chosen(inbox: Inbox, ids: tuple[int, ...], reason: str | None) -> None:
    """Raise UsageError for ids that no message has, and for a reason that neither the program nor the inbox knows."""
    from sfcode.config.did_you_mean import find_nearest_name
    from sfcode.relay.inbox import Filter
    from sfcode.relay.reasons import REASONS, hint_for

    missing = sorted(set(ids) - {entry.id for entry in _pages(inbox, Filter(ids=ids), len(ids))}) if ids else []
    if missing:
        raise UsageError(
            f"No message has the id {', '.join(map(str, missing))}.", "`sfcode relay list` shows the ids of messages."
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


def _filter(ids: tuple[int, ...], fields: dict[str, Any]) -> Filter:
    from sfcode.relay.inbox import Filter

    since = moment(fields.pop("since", None), datetime.now(UTC))
    user = fields.pop("user", None)
    return Filter(ids=ids or None, since=since, subject=f"user:{user}" if user else None, **fields)


def moment(text: str | None, now: datetime) -> datetime | None:
    """Parse a point in time: an ISO time (UTC without an offset), or how long ago it was."""
    if text is None:
        return None
    number, unit = text[:-1], text[-1:]
    try:
        if unit in UNITS and number.isascii() and number.isdigit() and len(number) < 7:
            return now - timedelta(**{UNITS[unit]: int(number)})
        then = datetime.fromisoformat(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # also of a time before the year 1
        raise UsageError(
            f"{text!r} is no point in time.", "Write it like 2026-11-23T17:00Z, or as an age: 30m, 12h, 7d."
        ) from None


def _pages(inbox: Inbox, choice: Filter, limit: int) -> Iterator[InboxEntry]:
    before: InboxEntry | None = None
    while limit > 0:
        page = inbox.page(choice, min(limit, PAGE), before)
        yield from page
        if len(page) < PAGE:
            return
        limit, before = limit - len(page), page[-1]


def list_entries(inbox: Inbox, *, limit: int = PAGE, **fields: Any) -> list[InboxEntry]:
    """Return the newest messages that match the fields of a filter."""
    from sfcode.relay.inbox import Filter

    return list(_pages(inbox, Filter(**fields), limit))


def _count(inbox: Inbox, choice: Filter) -> int:
    """Count the messages that a replay would take: by the counters, unless it chooses among what they count together."""
    finished = ("parked", "dead") if choice.state is None else (choice.state,)
    if choice == replace(choice, ids=None, kind=None, subject=None, since=None, until=None):
        counted = inbox.stats().counts_by_reason
        return sum(
            number
            for (source, state, reason), number in counted.items()
            if state in finished and choice.source in (None, source) and choice.reason in (None, reason)
        )
    return sum(1 for entry in _pages(inbox, choice, sys.maxsize) if entry.state in finished)
