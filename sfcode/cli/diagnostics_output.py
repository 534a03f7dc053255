"""Print diagnostics in the formats of `sfcode lint` and `sfcode doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from sfcode.cli.global_options import Command
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope
from sfcode.errors import ExitCode

if TYPE_CHECKING:
    from sfcode.diagnostics import Diagnostic

FORMATS = ("text", "json", "markdown", "sarif", "github")


def format_option(command: Command) -> Command:
    """Add the option `--format`."""
    return click.option(
        "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="Output format."
    )(command)


def merge_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of several environments, each once and the worst first."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda diagnostic: -diagnostic.level))


def show_diagnostics(
    invocation: Invocation, diagnostics: Sequence[Diagnostic], format_: str, *, doctor: bool = False
) -> ExitCode:
    """Write diagnostics, the worst first, and return the exit code."""
    from sfcode.diagnostics import Level

    code = ExitCode.USER if any(diagnostic.level is Level.ERROR for diagnostic in diagnostics) else ExitCode.OK
    if invocation.json or format_ == "json":
        from sfcode.checks.writers.json import to_doctor_document, to_document

        document = to_doctor_document(diagnostics) if doctor else to_document(diagnostics)
        warnings = [str(diagnostic) for diagnostic in diagnostics if diagnostic.level is Level.WARNING]
        if invocation.json:
            print_envelope(document, warnings, status=code)
        else:
            import json

            echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif format_ == "sarif":
        from sfcode.checks.rules import DOCTOR_RULES, LINT_RULES
        from sfcode.checks.writers.sarif import format_sarif

        echo(format_sarif(diagnostics, rules=DOCTOR_RULES if doctor else LINT_RULES))
    elif format_ == "github":
        from sfcode.checks.writers.github import format_annotations

        if lines := format_annotations(diagnostics):
            echo(lines)
    elif format_ == "markdown":
        from sfcode.checks.writers.markdown import format_report as format_markdown

        echo(format_markdown(diagnostics), nl=False)
    else:
        from sfcode.checks.writers.text import format_report

        echo(format_report(diagnostics, paint, quiet=invocation.quiet))
    return code
