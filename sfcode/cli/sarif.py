"""`--sarif FILE`: findings on YAML lines, for GitHub's code scanning and others that read SARIF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfcode.errors import ConfigError

if TYPE_CHECKING:
    from sfcode.review.model import Finding

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Sarif:
    """Collects findings."""

    findings: list[Finding] = field(default_factory=list)


def sarif_option(command: Command) -> Command:
    """Add the option that asks for the file."""
    option = click.option(
        "--sarif",
        "sarif_file",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write findings on YAML lines to this file as SARIF 2.1.0.",
    )
    return option(command)


@contextmanager
def found(path: Path | None) -> Iterator[Sarif]:
    """
    Collect findings and write them down, however it ends; problems of the config are findings too.

    An empty log is written at once: a file that cannot be written is told before anything is done, and a log of an
    earlier run is not taken for this one's.
    """
    collected = Sarif()
    if path is None:
        yield collected
        return
    from sfcode.checks.plan_diagnostics import PLAN_RULES
    from sfcode.checks.rules import of
    from sfcode.checks.writers.sarif import log
    from sfcode.plan.atomic_write import write_whole

    def write() -> None:
        write_whole(path, log(collected.findings, rules=PLAN_RULES) + "\n", "the SARIF log")

    write()
    try:
        yield collected
    except ConfigError as error:
        collected.findings += [of("SF001", problem) for problem in error.problems]
        raise
    finally:
        if collected.findings:
            write()
