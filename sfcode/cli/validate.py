"""`sfcode validate`: everything that can be known without an org."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import paint, print_envelope, print_status
from sfcode.cli.report_file import sarif_option, write_sarif
from sfcode.errors import ExitCode


@click.command()
@click.option("--no-lint", is_flag=True, help="Leave out what the linter says; see `sfcode lint`.")
@sarif_option
@click.pass_obj
def validate(invocation: Invocation, *, no_lint: bool, sarif_file: Path | None) -> ExitCode:
    """
    Check the config and what it generates, offline.

    Language, names, every file against Salesforce's schema, and the rules of the linter. Exits with 1 when there is
    an error; warnings and notes let it pass.
    """
    from sfcode.checks.lint import lint_advice, lint_config
    from sfcode.checks.writers.json import to_json
    from sfcode.checks.writers.text import format_message
    from sfcode.diagnostics import Level
    from sfcode.generate import generate
    from sfcode.metadata.objects import standard

    with write_sarif(sarif_file) as sarif:
        project = invocation.project()
        desired = generate(project, standard())
        diagnostics = (
            tuple(lint_advice(project, desired))
            if no_lint
            else lint_config(project, desired, invocation.config, generate)
        )
        sarif.diagnostics += diagnostics
    valid = all(diagnostic.level is not Level.ERROR for diagnostic in diagnostics)
    code = ExitCode.OK if valid else ExitCode.USER
    if invocation.json:
        result = {
            "valid": valid,
            "environment": project.environment,
            "addresses": [str(component.address) for component in (*desired.components, *desired.records)],
            "diagnostics": [to_json(diagnostic) for diagnostic in diagnostics],
        }
        print_envelope(
            result, [str(diagnostic) for diagnostic in diagnostics if diagnostic.level is not Level.ERROR], status=code
        )
        return code
    for diagnostic in diagnostics:
        click.echo(format_message(diagnostic, paint), err=True)
    count = len(project.mappings)
    print_status(
        invocation,
        f"{'Valid' if valid else 'Not valid'}: {count} {'mapping' if count == 1 else 'mappings'}, "
        f"{len(desired.components)} components and {len(desired.records)} records for environment "
        f"{project.environment}.",
    )
    return code
