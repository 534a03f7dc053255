"""`sfcode doctor`: what would stop the integration from working, in the org and in its data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sfcode.cli.diagnostics_output import format_option, show_diagnostics
from sfcode.cli.invocation import Invocation
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.org import Org


@click.command()
@click.option(
    "--as",
    "as_org",
    metavar="ORG",
    help="A second sign-in to the same org, as the integration user, to count what it sees: alias:NAME, env:PREFIX or "
    "an instance URL.",
)
@format_option
@click.pass_obj
def doctor(invocation: Invocation, as_org: str | None, format_: str) -> int:
    """
    Find what would stop the integration from working: in the org, on the way to the relay, in the data.

    Reads only, and changes nothing. Exits with 1 when there is an error.
    """
    from sfcode.checks.doctor import collect_facts, examine

    project = invocation.project()
    with (
        invocation.open_org(project) as org,
        _second(as_org, org.api_version) as another,
        invocation.show_progress("Examining the org"),
    ):
        diagnostics = examine(project, collect_facts(project, org, another, os.environ))
    return show_diagnostics(invocation, diagnostics, format_, doctor=True)


@contextmanager
def _second(target: str | None, api_version: str) -> Iterator[Org | None]:
    if target is None:
        yield None
        return
    if target == "local":
        raise UsageError("--as local is the administrator again.", "Name a sign-in of the integration user.")
    from sfcode.org import connect

    with connect(target, environ=os.environ, api_version=api_version) as org:
        yield org
