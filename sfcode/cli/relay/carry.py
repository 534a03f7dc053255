"""`sfcode relay reconcile` and `backfill`: read records from Salesforce, and send them to Appcues."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_both
from sfcode.cli.relay.selection import moment

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.mapping.resolved import ResolvedMapping


@click.command("reconcile")
@click.argument("mapping", required=False)
@click.option(
    "--since",
    metavar="WHEN",
    help="Send the changes since a time (2026-11-23T17:00Z) or an age (12h, 7d). Default: since the last run.",
)
@click.pass_obj
def reconcile_command(invocation: Invocation, mapping: str | None, since: str | None) -> None:
    """
    Send the records that changed in Salesforce since the last reconcile, or since a time.

    For outages of more than 24 hours, after which Salesforce no longer repeats its messages. A record that was already
    delivered is delivered once more, which changes nothing, so you can run it at any time, also by a timer. Reads all
    mappings, or only MAPPING.
    """
    from sfcode.relay.backfill.reconcile import reconcile
    from sfcode.relay.backfill.records import run_each, sending_mappings, soql_time

    start = moment(since, datetime.now(UTC))
    project = invocation.project()
    mappings = sending_mappings(project, mapping)
    with open_both(invocation, project) as (inbox, org):
        results = run_each(mappings, lambda sender: reconcile(org, inbox, sender, start))
    if invocation.json:
        print_envelope([{**asdict(result), "since": soql_time(result.since)} for result in results])
        return
    for result in results:
        present_count = result.records - result.new
        echo(
            f"{result.mapping}: {result.new:,} records to send, changed since {soql_time(result.since)}"
            + (f"; {present_count:,} more were in the inbox already" if present_count else "")
        )


@click.command("backfill")
@click.argument("mapping", required=False)
@click.option("--restart", is_flag=True, help="Start again, even if a backfill was completed or interrupted.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent for some records, without sending it.")
@click.option(
    "--limit",
    type=click.IntRange(1, 2000),
    default=20,
    show_default=True,
    help="Records of each mapping for --dry-run.",
)
@click.pass_obj
def backfill_command(invocation: Invocation, mapping: str | None, limit: int, *, restart: bool, dry_run: bool) -> None:
    """
    Send every record with a user ID to Appcues once, through Bulk API 2.0.

    Run it once at the start, and after a field was added to a mapping. An interrupted backfill continues. Reads all mappings, or only MAPPING; the relay sends the records at the rate that Appcues allows.
    """
    from sfcode.relay.backfill.backfill import backfill, load_progress
    from sfcode.relay.backfill.records import run_each, sending_mappings

    project = invocation.project()
    mappings = sending_mappings(project, mapping)
    if dry_run:
        _preview(invocation, project, mappings, limit)
        return
    with open_both(invocation, project) as (inbox, org):

        def run(sender: ResolvedMapping) -> dict[str, Any]:
            before = None if restart else load_progress(inbox, sender)
            if before is not None and before.done:
                print_status(
                    invocation,
                    f"{sender.name}: already done, {before.records:,} records; --restart sends them again.",
                )
            with invocation.show_progress(f"Sending {sender.name}"):
                progress = backfill(
                    org,
                    inbox,
                    sender,
                    lambda message_line: _report(invocation, message_line),
                    restart=restart,
                    sleep=time.sleep,
                )
            return {"mapping": sender.name, "job": progress.job, "records": progress.records}

        jobs = run_each(mappings, run)
    if invocation.json:
        print_envelope(jobs)
    else:
        echo("Done: the relay sends the messages in the inbox.")


def _preview(invocation: Invocation, project: Project, mappings: list[ResolvedMapping], limit: int) -> None:
    """Show the profiles of the first records, and how many records there are."""
    from sfcode.relay.backfill.preview import preview

    with only_reading(), invocation.open_org(project, as_integration=True) as org:
        previews = [preview(project, org, mapping, limit) for mapping in mappings]
    if invocation.json:
        print_envelope([asdict(sample) for sample in previews])
        return
    for sample in previews:
        for profile in sample.profiles:
            values = ", ".join(f"{name} = {json.dumps(value)}" for name, value in sorted(profile.attributes.items()))
            echo(f"{profile.match} {profile.id}: {values or 'nothing'}")
            for name, wrong in sorted(profile.left_out.items()):
                echo(f"  {name} {wrong} and would be left out")
        echo(f"{sample.mapping}: {len(sample.profiles):,} of {sample.records:,} records shown; nothing was sent.")


def _report(invocation: Invocation, line: str) -> None:
    with invocation.progress.pause():
        print_status(invocation, line)
