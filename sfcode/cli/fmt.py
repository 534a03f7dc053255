"""`sfcode fmt`: the canonical form of a project's files."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError, ExitCode, UsageError


@click.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is not in its canonical form.")
@click.option("--diff", is_flag=True, help="Print the differences.")
@click.pass_obj
def fmt(invocation: Invocation, paths: tuple[Path, ...], *, check: bool, diff: bool) -> ExitCode:
    """
    Rewrite the files of a project in their canonical form.

    Puts keys in the order of the language's reference, indented by two spaces. Does not change values, quotes and
    comments. PATHS are files of a project; by default, all files of the config folder. Prints the names of the changed
    files.
    """
    from sfcode.atomic_write import write_whole
    from sfcode.config.files import list_files
    from sfcode.config.format import format_text

    kinds = {path: _kind(path) for path in paths} if paths else dict(list_files(invocation.config))
    problems: list[Diagnostic] = []
    formatted: dict[Path, tuple[str, str]] = {}
    for path, kind in kinds.items():
        try:
            data = path.read_bytes()
            text = format_text(data, str(path), kind)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}", "Check the path.") from None
        except ConfigError as error:
            problems += error.problems
            continue
        if text.encode() != data:
            formatted[path] = (data.decode("utf-8-sig"), text)
    for path, (before, text) in formatted.items():
        if not check:
            write_whole(path, text, "the formatted file")
        if not invocation.json:
            echo(path)
        if diff and not invocation.json:
            lines = difflib.unified_diff(
                before.splitlines(keepends=True), text.splitlines(keepends=True), str(path), str(path)
            )
            echo("".join(lines), nl=False)
    if problems:
        raise ConfigError(problems)
    code = ExitCode.USER if check and formatted else ExitCode.OK
    if invocation.json:
        print_envelope({"changed": [str(path) for path in formatted], "written": not check}, status=code)
    return code


def _kind(path: Path) -> str:
    """Return the kind of a file by its name and folder, as the loader does."""
    from sfcode.config.files import kind_of

    kind = kind_of(path)
    if kind is None:
        raise UsageError(
            f"{path} is not a file of a project.",
            "Pass sfcode.yaml, events.yaml or the files of mappings/, or no path.",
        )
    return kind
