"""`sfcode schema`: the mapping language as JSON Schema."""

from __future__ import annotations

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope


@click.command()
@click.argument("kind", type=click.Choice(["sfcode", "mapping", "events", "recipes"]), required=False)
@click.pass_obj
def schema(invocation: Invocation, kind: str | None) -> None:
    """
    Print the JSON Schema (draft 2020-12) of the mapping language.

    KIND is the kind of file: sfcode for sfcode.yaml, mapping for the files in mappings/, events for
    events.yaml, recipes for recipes.yaml. Without it, the schema accepts each of them.
    """
    from sfcode.config.schema import json_schema, render_json_schema

    if invocation.json:
        print_envelope(json_schema(kind))
    else:
        echo(render_json_schema(kind), nl=False)
