"""`--junit FILE`: what the org said of components and tests, for the test page of a CI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sfcode.generate.desired import Origin
    from sfcode.org import DeployResult

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class JUnit:
    """Collects how deployments ended, and the YAML lines behind their components."""

    results: list[DeployResult] = field(default_factory=list)
    origins: tuple[Origin, ...] = ()


def junit_option(command: Command) -> Command:
    """Add the option that asks for the file."""
    option = click.option(
        "--junit",
        "junit_file",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write components and Apex tests to this file as JUnit XML.",
    )
    return option(command)


@contextmanager
def reported(path: Path | None) -> Iterator[JUnit]:
    """
    Collect deployments and write them down, however they end.

    An empty report is written at once: a file that cannot be written is told before anything is done, and a
    report of an earlier run is not taken for this one's.
    """
    collected = JUnit()
    if path is None:
        yield collected
        return
    from sfcode.apply.junit import junit
    from sfcode.plan.atomic_write import write_whole

    def write() -> None:
        write_whole(path, junit(collected.results, collected.origins), "the JUnit report")

    write()
    try:
        yield collected
    finally:
        if collected.results:
            write()
