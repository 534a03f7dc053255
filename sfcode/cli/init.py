"""`sfcode init`: a new project."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from sfcode.cli.output import envelope, paint, say
from sfcode.cli.session import Session


@click.command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.pass_obj
def init(session: Session, directory: Path) -> None:
    """Write a new project into DIR (default: here): config, editor schema, workflows, README. Overwrites nothing."""
    from sfcode.scaffold import write_project

    project = write_project(directory)
    folder = str(directory / "config")
    options = "--env local" if directory == Path() else f"--config {shlex.quote(folder)} --env local"
    commands = [f"sfcode {options} {verb}" for verb in ("validate", "plan", "apply")]
    if session.json:
        result = {"written": [*map(str, project.written)], "kept": [*map(str, project.kept)], "next": commands}
        envelope(result, project.warnings)
        return
    for path in project.written:
        say(session, f"wrote {path}")
    for path in project.kept:
        more = "; add .sfcode/ to it" if path.name == ".gitignore" else ""
        say(session, f"kept  {path}, which was there before{more}")
    for warning in project.warnings:
        say(session, f"\n{paint('Warning:', '~')} {warning}")
    say(session, "\nNext, against the org that is built in (the first file to edit is config/mappings/contact.yaml):\n")
    for command in commands:
        say(session, f"  {command}")
    say(session, "\nThe last two read a secret, which for a trial is a random one:\n")
    say(session, "  export SFCODE_RELAY_OUTBOUND_SECRET=$(openssl rand -hex 24)")
