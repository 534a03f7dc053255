"""`sfcode relay refresh`: send values that differ from Appcues, such as formulas and roll-ups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_both

if TYPE_CHECKING:
    from sfcode.mapping.resolved import ResolvedMapping


@click.command("refresh")
@click.argument("mapping", required=False)
@click.option("--restart", is_flag=True, help="Start again, even if a refresh was interrupted.")
@click.pass_obj
def refresh_command(invocation: Invocation, mapping: str | None, *, restart: bool) -> None:
    """
    Compare all records with the delivered values, through Bulk API 2.0, and send the values that differ.

    For attributes from formulas and roll-ups, which change without a message. An interrupted refresh continues. Reads
    all mappings, or only MAPPING. With relay.schedule, the relay runs refreshes by itself.
    """
    from sfcode.relay.appcues.field_types import FieldTypeCache
    from sfcode.relay.backfill.records import run_each, sending_mappings
    from sfcode.relay.backfill.refresh import refresh

    project = invocation.project()
    mappings = sending_mappings(project, mapping)

    def report(line: str) -> None:
        with invocation.progress.pause():
            print_status(invocation, line)

    with open_both(invocation, project) as (inbox, org):
        types = FieldTypeCache(project, inbox)
        types.load()
        types.refresh(org)

        def run(sender: ResolvedMapping) -> dict[str, Any]:
            with invocation.show_progress(f"Comparing {sender.name}"):
                progress = refresh(org, inbox, sender, types.mapping_views, report, sleep=time.sleep, restart=restart)
            numbers = {"records": progress.records, "queued": progress.queued}
            return {"mapping": sender.name, "job": progress.job, **numbers}

        outcomes = run_each(mappings, run)
    if invocation.json:
        print_envelope(outcomes)
        return
    for outcome in outcomes:
        echo(f"{outcome['mapping']}: {outcome['queued']:,} of {outcome['records']:,} records differ and will be sent")
