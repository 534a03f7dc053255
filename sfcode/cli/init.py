"""`sfcode init`: a new project."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import paint, print_envelope, print_status


@click.command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--with",
    "extras",
    metavar="OBJECT|RECIPE,...",
    default="",
    help="Objects to map besides Contact: lead, account, and custom objects by API name, such as Subscriber__c. Also "
    "recipes: completed_flows, nps_history, nps_by_account, event_registration, role_onboarding, group_progress.",
)
@click.option(
    "--branch", metavar="NAME", help="Branch whose pushes the workflows apply. Default: the repository's, else main."
)
@click.option(
    "--prefix",
    metavar="PREFIX",
    default="PROD",
    show_default=True,
    help="The prefix of the names of the org's secrets, in the workflows and in the environment production.",
)
@click.pass_obj
def init(invocation: Invocation, directory: Path, extras: str, branch: str | None, prefix: str) -> None:
    """Write a new project into DIR (default: here): config, editor schema, workflows, README. Overwrites nothing."""
    from sfcode.git import find_default_branch
    from sfcode.scaffold import WorkflowNames, write_project

    names = WorkflowNames(branch or find_default_branch(directory) or "main", prefix)
    project = write_project(directory, filter(None, map(str.strip, extras.split(","))), names)
    folder = str(directory / "config")
    options = "--env local" if directory == Path() else f"--config {shlex.quote(folder)} --env local"
    commands = [f"sfcode {options} {verb}" for verb in ("validate", "plan", "apply")]
    if invocation.json:
        result = {"written": [*map(str, project.written)], "kept": [*map(str, project.kept)], "next": commands}
        print_envelope(result, project.warnings)
        return
    for path in project.written:
        print_status(invocation, f"wrote {path}")
    for path in project.kept:
        more = "; add .sfcode/ to it" if path.name == ".gitignore" else ""
        print_status(invocation, f"kept  {path}, which was there before{more}")
    for warning in project.warnings:
        print_status(invocation, f"\n{paint('Warning:', '~')} {warning}")
    print_status(
        invocation,
        "\nNext, against the org that is built in (the first file to edit is config/mappings/contact.yaml):\n",
    )
    for command in commands:
        print_status(invocation, f"  {command}")
    print_status(invocation, "\nThe last two read a secret, which for a trial is a random one:\n")
    print_status(invocation, "  export SFCODE_RELAY_OUTBOUND_SECRET=$(openssl rand -hex 24)")
