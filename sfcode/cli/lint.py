"""`sfcode lint`: what the rules say of a config, offline."""

from __future__ import annotations

from pathlib import Path

import click

from sfcode.cli.diagnostics_output import format_option, show_diagnostics
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

    `sfcode validate` says the same among other things. Exits with 1 when there is an error.
    """
    from sfcode.checks.lint import lint_config
    from sfcode.generate import generate
    from sfcode.metadata.objects import standard

    with write_sarif(sarif_file) as sarif:
        project = invocation.project()
        diagnostics = lint_config(project, generate(project, standard()), invocation.config, generate)
        sarif.diagnostics += diagnostics
    return show_diagnostics(invocation, diagnostics, format_)
