"""`sfcode doctor`: what would stop the integration from working, in the org and in its data."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.diagnostics_output import format_option, show_diagnostics
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org


@click.command()
@click.option(
    "--as",
    "as_org",
    metavar="ORG",
    help="A second sign-in to the same org, as the integration user, to count the records that it can read: alias:NAME, env:PREFIX or "
    "an instance URL.",
)
@click.option(
    "--probe",
    "evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Instead, test the assumptions of docs/unverified.md in the org, and write its redacted answers to FILE. Changes nothing.",
)
@format_option
@click.pass_obj
def doctor(invocation: Invocation, as_org: str | None, evidence: Path | None, format_: str) -> int:
    """
    Find what would stop the integration from working: in the org, on the way to the relay, in the data.

    Reads only, and changes nothing. Exits with 1 when there is an error.
    """
    project = invocation.project()
    if evidence is not None:
        return _probe(invocation, project, evidence)
    from sfcode.checks.doctor import collect_facts, examine

    with (
        invocation.open_org(project) as org,
        _second(as_org, org.api_version) as another,
        invocation.show_progress("Examining the org"),
    ):
        diagnostics = examine(project, collect_facts(project, org, another, os.environ))
    return show_diagnostics(invocation, diagnostics, format_, doctor=True)


def _probe(invocation: Invocation, project: Project, file: Path) -> int:
    """Record the org's responses to the probes."""
    from sfcode.atomic_write import write_whole
    from sfcode.evidence.record import format_results, record_evidence

    with invocation.open_org(project) as org, invocation.show_progress("Asking the org"):
        evidence = record_evidence(org, datetime.now(UTC), lambda _question: None)
    write_whole(file, json.dumps(evidence, indent=2, ensure_ascii=False) + "\n", "the evidence")
    if invocation.json:
        print_envelope(evidence)
    else:
        echo(format_results(evidence["probes"]))
        echo(f"\n{file} holds these answers without names, IDs and values. Read it before you send it.")
    return ExitCode.OK


@contextmanager
def _second(target: str | None, api_version: str) -> Iterator[Org | None]:
    if target is None:
        yield None
        return
    if target == "local":
        raise UsageError("--as local signs in as the administrator, too.", "Pass a sign-in of the integration user.")
    from sfcode.org import connect

    with connect(target, environ=os.environ, api_version=api_version) as org:
        yield org
