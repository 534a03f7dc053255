"""`sfcode validate`: everything that can be known without an org."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import paint, print_envelope, print_status
from sfcode.cli.sarif import found, sarif_option


@click.command()
@sarif_option
@click.pass_obj
def validate(invocation: Invocation, *, sarif_file: Path | None) -> None:
    """Check the config and what it generates, offline: language, names, and every file against Salesforce's schema."""
    from sfcode.generate import generate
    from sfcode.metadata.objects import standard

    with found(sarif_file) as sarif:
        project = invocation.project()
        desired = generate(project, standard())
        if sarif_file:
            from sfcode.checks.plan_diagnostics import of_config

            sarif.findings += of_config(project, desired, invocation.config)
    warnings = (*project.warnings, *(str(problem) for problem in desired.warnings))
    if invocation.json:
        addresses = [str(component.address) for component in (*desired.components, *desired.records)]
        print_envelope({"valid": True, "environment": project.environment, "addresses": addresses}, warnings)
        return
    for warning in warnings:
        click.echo(paint(f"Warning: {warning}", "~"), err=True)
    count = len(project.mappings)
    print_status(
        invocation,
        f"Valid: {count} {'mapping' if count == 1 else 'mappings'}, {len(desired.components)} components and "
        f"{len(desired.records)} records for environment {project.environment}.",
    )
