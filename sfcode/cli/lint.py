"""`sfcode lint`: check a config by the rules of the linter, offline."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.diagnostics_output import format_option, merge_diagnostics, show_diagnostics
from sfcode.cli.environments import generate_environments
from sfcode.cli.invocation import Invocation
from sfcode.cli.report_file import sarif_option, write_sarif
from sfcode.errors import ExitCode


@click.command()
@format_option
@sarif_option
@click.pass_obj
def lint(invocation: Invocation, *, format_: str, sarif_file: Path | None) -> ExitCode:
    """
    Check the config with the rules of docs/reference/lint-rules.md, offline.

    `sfcode validate` also shows them. Checks every environment, or the one of --env. Exits with 1 if there is an error.
    """
    from sfcode.checks.lint import lint_config
    from sfcode.generate import generate

    with write_sarif(sarif_file) as sarif:
        diagnostics = merge_diagnostics(
            diagnostic
            for project, desired in generate_environments(invocation)
            for diagnostic in lint_config(project, desired, invocation.config, generate)
        )
        sarif.diagnostics += diagnostics
    return show_diagnostics(invocation, diagnostics, format_)
