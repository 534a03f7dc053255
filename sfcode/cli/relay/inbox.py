"""`sfcode relay status`, `ack` and `forget`: the inbox as a whole, its alarms, and one person's data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sfcode.cli.filled import FILLED
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope
from sfcode.cli.relay.selection import operator
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.relay.inbox import Inbox

READ_SECONDS = 15.0
"""The time limit of a query of the inbox, since the relay's work has priority."""


@click.command("status")
@click.pass_obj
def status_command(invocation: Invocation) -> None:
    """Show queue sizes, blocked messages, alarms and running processes."""
    from sfcode.relay.report import ApiStatus, RelayStatus, describe_status, scheduled_status, status_document

    settings = invocation.project().settings.relay
    with open_project_inbox(invocation) as inbox:
        status = RelayStatus(
            inbox.stats(),
            inbox.processes(),
            inbox.alarms(),
            scheduled_status(settings.schedule, inbox.scheduled_runs()),
            ApiStatus(settings.api_calls_per_day, inbox.api_calls.last_day()),
            inbox.pauses(),
            inbox.bulk_changes.under_way(),
        )
    if invocation.json:
        print_envelope(status_document(status))
    else:
        echo(describe_status(status, paint))


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

    Acknowledging `clearing_stopped` lets the relay clear attributes again; reconcile or backfill then sends the
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
@click.argument("user", type=FILLED)
@click.option("--dry-run", is_flag=True, help="Count what would be removed without removing it.")
@click.pass_obj
def forget_command(invocation: Invocation, user: str, *, dry_run: bool) -> None:
    """
    Delete the data of one person from the inbox: messages, latest values and notes.

    USER is the user ID in Appcues. Nothing is changed in Salesforce or Appcues. An audit line with a hash of the ID is kept.
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


@contextmanager
def open_project_inbox(invocation: Invocation, *, create: bool = False) -> Iterator[Inbox]:
    """Open the inbox of the project; without `create`, a missing inbox is an error."""
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
