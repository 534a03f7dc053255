"""Print results and errors: as text, or in the JSON envelope of the sf CLI."""

from __future__ import annotations

import errno
import json as json_module
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import click

from sfcode import __version__
from sfcode.errors import ConfigError, ExitCode, SfcodeError
from sfcode.text import spell_out

OUTSIDE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.EISDIR,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENFILE,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""Errors outside of sfcode: wrong paths, missing permissions, a full disk, too many open files."""

READ_ONLY = {"validate", "lint", "plan", "show", "review", "doctor", "next-steps", "explain", "schema"}
"""Verbs that change nothing."""

COLORS = {"+": "green", "-": "red", "~": "yellow", "!": "red"}


def echo(text: object = "", *, nl: bool = True, err: bool = False, color: bool | None = None) -> None:
    """Print a text with escapes for invisible characters, which could make it look like another text."""
    click.echo(spell_out(str(text)), nl=nl, err=err, color=color)  # noqa: TID251  (the one place)


def paint(text: str, sign: str) -> str:
    """Color a text by its sign; click removes colors if the output is not a terminal."""
    return click.style(text, fg=COLORS[sign]) if sign in COLORS else text


class OutputOptions(Protocol):
    """The global options that decide whether and where status messages are printed."""

    @property
    def quiet(self) -> bool:
        """Whether only results and errors are printed."""
        ...

    @property
    def json(self) -> bool:
        """Whether standard output has one JSON object."""
        ...


def print_status(options: OutputOptions, text: str, *, aside: bool = False) -> None:
    """Print a status message: on standard error if standard output has a document (JSON, or `aside`); nothing if quiet."""
    if not options.quiet:
        echo(text, err=options.json or aside)


def print_envelope(result: Any, warnings: Sequence[str] = (), *, status: int = 0) -> None:
    """Write the one JSON object of `--json`."""
    from sfcode.json_parts import encode_in_parts

    for part in encode_in_parts({"status": status, "result": result, "warnings": list(warnings)}):
        echo(part, nl=False)
    echo()


def print_names(options: OutputOptions, verb: str, names: Iterable[object]) -> None:
    """Print what was done to each of several things: `added me@example.com`."""
    if options.json:
        print_envelope({verb: [str(name) for name in names]})
    else:
        for name in names:
            echo(f"{verb} {name}")


def print_error(error: BaseException, *, json: bool, verbose: bool, color: bool = True, verb: str = "") -> int:
    """Print an error, and return its exit code."""
    message, code = describe_error(error, verbose=verbose, verb=verb)
    if json:
        try:
            _print_json_error(error, message, code)
        except OSError:  # standard output is a file on a full disk, or closed
            echo(f"Error: {message}", err=True)
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        echo(error.format_message(), err=True)
    elif message:
        echo(f"{paint('Error:', '!')} {message}", err=True, color=None if color else False)
    return code


def _print_json_error(error: BaseException, message: str, code: ExitCode) -> None:
    """Print an error on one line, since serving commands print JSON lines."""
    answer: dict[str, Any] = {
        "name": type(error).__name__,
        "message": message,
        "exitCode": int(code),
        "status": int(code),
        "warnings": [],
    }
    if isinstance(error, ConfigError):
        answer["problems"] = [str(problem) for problem in error.problems]
    echo(json_module.dumps(answer))


def describe_error(error: BaseException, *, verbose: bool = False, verb: str = "") -> tuple[str, ExitCode]:
    """Return the message for an error, and its exit code."""
    if isinstance(error, SfcodeError):
        return _lines(error), error.exit_code
    if isinstance(error, click.exceptions.Exit):
        return "", ExitCode(error.exit_code)
    if isinstance(error, click.ClickException):
        return f"{error.format_message()}{_usage(error)}", ExitCode.USER
    if isinstance(error, KeyboardInterrupt | click.Abort):
        stays = "nothing was changed." if verb in READ_ONLY else "changes made before are kept."
        return f"Interrupted; {stays}" if verb else "interrupted", ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return "", ExitCode.USER
    if isinstance(error, OSError) and error.errno in OUTSIDE:
        from sfcode.process import RAISE_LIMIT

        details = f"{error.filename}: " if error.filename else ""
        hint = (
            RAISE_LIMIT
            if error.errno in {errno.EMFILE, errno.ENFILE}
            else "Check the path, its permissions and the free space of the disk."
        )
        return f"{details}{error.strerror}\n{hint}", ExitCode.USER
    import platform  # these are for bugs alone
    import traceback

    details = "".join(traceback.format_exception(error)) if verbose else f"{type(error).__name__}: {error}"
    hint = "Please report it with the lines above." if verbose else "Run it again with --verbose for a report."

    versions = f"sfcode {__version__}, Python {platform.python_version()}, {platform.system()}"
    return f"this is a bug in sfcode, not in your config:\n{details}\n{versions}. {hint}", ExitCode.BUG


def _usage(error: click.ClickException) -> str:
    ctx: click.Context | None = getattr(error, "ctx", None)
    if ctx is None:
        return ""
    return f"\nTry: {ctx.command_path} --help"


def _lines(error: SfcodeError) -> str:
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        return f"{len(error.problems)} problems\n{error}"
    return str(error)
