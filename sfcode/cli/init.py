"""`sfcode init`: a new project, and the update of an existing one."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sfcode.scaffold.update import FileUpdate


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
    help="The prefix of the names of the org's secrets, in the workflows and in the environment production. Default: PROD.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Update the workflows and schemas of the project in DIR to this version. Shows the difference and asks.",
)
@click.option("--auto-approve", is_flag=True, help="With --update: skip the approval.")
@click.pass_obj
def init(
    invocation: Invocation,
    directory: Path,
    *,
    extras: str,
    branch: str | None,
    prefix: str | None,
    update: bool,
    auto_approve: bool,
) -> ExitCode:
    """
    Write a new project into DIR (default: here): config, editor schema, workflows, README. Overwrites nothing.

    With --update, brings the workflows, the action that installs sfcode, and the schemas of an existing
    project to this version of sfcode. Other files are not changed.
    """
    if auto_approve and not update:
        raise UsageError(
            "--auto-approve has no effect without --update.", "Pass --update as well, or remove --auto-approve."
        )
    if update and extras:
        raise UsageError("--update adds no objects and no recipes.", "Remove --with, or write the files by hand.")
    if update:
        return _update(invocation, directory, branch, prefix, auto_approve=auto_approve)
    _create(invocation, directory, extras, branch, prefix or "PROD")
    return ExitCode.OK


def _update(
    invocation: Invocation, directory: Path, branch: str | None, prefix: str | None, *, auto_approve: bool
) -> ExitCode:
    """Show how a project's files differ from the files of this version, and write the latter if approved."""
    from sfcode.cli.prompt import ask
    from sfcode.scaffold.update import plan_update, write_update

    updates, warnings = plan_update(directory, branch, prefix)
    if not invocation.json:
        for warning in warnings:
            print_status(invocation, f"{paint('Warning:', '~')} {warning}")
        for file in updates:
            echo(_difference(file), nl=False)
    if not updates:
        print_status(invocation, "The workflows and schemas are those of this version.")
    hint = "Pass --auto-approve to update the files."
    question = (
        f"Do you want to update {len(updates)} {'file' if len(updates) == 1 else 'files'}? Only 'yes' will be accepted."
    )
    approved = bool(updates) and (auto_approve or ask(invocation, question, hint=hint))
    if approved:
        write_update(updates)
    if invocation.json:
        print_envelope({"updated": [str(file.path) for file in updates]}, warnings)
    else:
        for file in updates if approved else ():
            print_status(invocation, f"updated {file.path}")
    return ExitCode.USER if updates and not approved else ExitCode.OK


def _difference(file: FileUpdate) -> str:
    """Return the unified diff of a file; for a binary file, a line with its name."""
    before, after = file.before or b"", file.after
    try:
        old, new = before.decode().splitlines(keepends=True), after.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return f"{file.path}: a new archive of sfcode\n"
    name = str(file.path)
    return "".join(difflib.unified_diff(old, new, "/dev/null" if file.before is None else name, name))


def _create(invocation: Invocation, directory: Path, extras: str, branch: str | None, prefix: str) -> None:
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
        print_status(invocation, f"kept  {path}, which already existed{more}")
    for warning in project.warnings:
        print_status(invocation, f"\n{paint('Warning:', '~')} {warning}")
    print_status(
        invocation,
        "\nNext, with the local org (edit config/mappings/contact.yaml first):\n",
    )
    for command in commands:
        print_status(invocation, f"  {command}")
    print_status(invocation, "\nThe last two commands need a secret; for a trial, use a random one:\n")
    print_status(invocation, "  export SFCODE_RELAY_OUTBOUND_SECRET=$(openssl rand -hex 24)")
