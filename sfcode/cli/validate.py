"""`sfcode validate`: check a config without an org."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.diagnostics_output import merge_diagnostics
from sfcode.cli.environments import generate_environments
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.cli.report_file import sarif_option, write_sarif
from sfcode.errors import ExitCode
from sfcode.text import count_noun

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.mapping.desired import Desired


@click.command()
@click.option("--no-lint", is_flag=True, help="Do not run the linter; see `sfcode lint`.")
@sarif_option
@click.pass_obj
def validate(invocation: Invocation, *, no_lint: bool, sarif_file: Path | None) -> ExitCode:
    """
    Check the config and the generated components, offline.

    Checks the mapping language, names, every generated file against Salesforce's schema, and the rules of the linter,
    for every environment or the one of --env. Exits with 1 if there is an error, not for warnings and notes.
    """
    from sfcode.checks.lint import lint_advice, lint_config
    from sfcode.checks.writers.json import to_json
    from sfcode.checks.writers.text import format_message
    from sfcode.diagnostics import Level
    from sfcode.generate import generate

    with write_sarif(sarif_file) as sarif:
        generated = generate_environments(invocation)
        diagnostics = merge_diagnostics(
            diagnostic
            for project, desired in generated
            for diagnostic in (
                lint_advice(project, desired) if no_lint else lint_config(project, desired, invocation.config, generate)
            )
        )
        sarif.diagnostics += diagnostics
    names = [project.environment for project, _ in generated]
    addresses = [str(address) for _, desired in generated for address in desired.by_address]
    valid = all(diagnostic.level is not Level.ERROR for diagnostic in diagnostics)
    code = ExitCode.OK if valid else ExitCode.USER
    if invocation.json:
        result = {
            "valid": valid,
            "environment": names[0] if len(names) == 1 else None,
            "environments": names,
            "addresses": list(dict.fromkeys(addresses)),
            "diagnostics": [to_json(diagnostic) for diagnostic in diagnostics],
        }
        print_envelope(
            result, [str(diagnostic) for diagnostic in diagnostics if diagnostic.level is not Level.ERROR], status=code
        )
        return code
    for diagnostic in diagnostics:
        echo(format_message(diagnostic, paint), err=True)
    print_status(invocation, f"{'Valid' if valid else 'Not valid'}: {_summarize(generated)}.")
    return code


def _summarize(generated: Sequence[tuple[Project, Desired]]) -> str:
    """Return a sentence with the numbers of mappings, components and records, and the environments."""
    project, desired = generated[0]
    text = f"{count_noun(len(project.mappings), 'mapping')}, {count_noun(len(desired.components), 'component')} and "
    text += count_noun(len(desired.records), "record")
    names = [loaded.environment for loaded, _ in generated]
    return f"{text} for environment {names[0]}" if len(names) == 1 else f"{text} for each of {', '.join(names)}"
