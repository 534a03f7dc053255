"""`sfcode schema`: print the JSON Schema of the mapping language and of JSON output."""

from __future__ import annotations

from typing import Any

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope

FILES = ("sfcode", "mapping", "events", "recipes")
OUTPUTS = ("plan", "review", "relay", "envelope", "state")


@click.command()
@click.argument("kind", type=click.Choice([*FILES, *OUTPUTS]), required=False)
@click.pass_obj
def schema(invocation: Invocation, kind: str | None) -> None:
    """
    Print the JSON Schema (draft 2020-12) of the mapping language, or of JSON output.

    KIND is the kind of file: sfcode for sfcode.yaml, mapping for the files in mappings/, events for
    events.yaml, recipes for recipes.yaml. Without it, the schema accepts each of them.

    For JSON output, KIND is plan for `plan --format json` and saved plans, review for
    `review --format json`, relay for the results of the relay's verbs, envelope for the output of every
    command with --json, state for the applied state that is kept in the org.
    """
    from sfcode.config.schema import json_schema, render_schema

    document = output_schema(kind) if kind in OUTPUTS else json_schema(kind)
    if invocation.json:
        print_envelope(document)
    else:
        echo(render_schema(document), nl=False)


def output_schema(kind: str) -> dict[str, Any]:
    """Return the schema of one kind of JSON output."""
    from pydantic import TypeAdapter

    from sfcode.cli.envelope_types import Envelope
    from sfcode.config.schema import DIALECT
    from sfcode.plan.document_types import PlanDocument
    from sfcode.plan.state_types import State
    from sfcode.relay.result_types import RelayDocument
    from sfcode.review.reports.document_types import ReviewDocument

    adapters: dict[str, TypeAdapter[Any]] = {
        "plan": TypeAdapter(PlanDocument),
        "review": TypeAdapter(ReviewDocument),
        "relay": TypeAdapter(RelayDocument),
        "envelope": TypeAdapter(Envelope),
        "state": TypeAdapter(State),
    }
    return {"$schema": DIALECT, **adapters[kind].json_schema()}
