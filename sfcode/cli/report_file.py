"""`--sarif FILE` and `--junit FILE`: the diagnostics or deployments of a command, for the pages of a CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from sfcode.cli.global_options import Command
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.text import spell_out

if TYPE_CHECKING:
    from sfcode.diagnostics import Diagnostic
    from sfcode.mapping.desired import Origin
    from sfcode.org import DeployResult


class _Report(Protocol):
    def render(self) -> str: ...


@dataclass
class SarifReport:
    """Collects diagnostics."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def render(self) -> str:
        """Write a SARIF log."""
        from sfcode.checks.rules import LINT_RULES, PLAN_RULES
        from sfcode.checks.writers.sarif import format_sarif

        return format_sarif(self.diagnostics, rules=LINT_RULES | PLAN_RULES) + "\n"


@dataclass
class JUnitReport:
    """Collects the results of deployments, and the YAML lines behind their components."""

    results: list[DeployResult] = field(default_factory=list)
    origins: Sequence[Origin] = ()

    def render(self) -> str:
        """Write JUnit XML."""
        from sfcode.apply.junit import junit

        return junit(self.results, tuple(self.origins))


def sarif_option(command: Command) -> Command:
    """Add the option `--sarif FILE`."""
    return _option(command, "sarif", "Write the findings, with their YAML lines, to this file as SARIF 2.1.0.")


def junit_option(command: Command) -> Command:
    """Add the option `--junit FILE`."""
    return _option(command, "junit", "Write components and Apex tests to this file as JUnit XML.")


def _option(command: Command, name: str, text: str) -> Command:
    type_ = click.Path(path_type=Path, dir_okay=False)
    return click.option(f"--{name}", f"{name}_file", metavar="FILE", type=type_, help=text)(command)


@contextmanager
def write_sarif(path: Path | None) -> Iterator[SarifReport]:
    """Collect diagnostics, including problems of the config, and write them to a file when the command ends."""
    with _write_at_end(path, SarifReport(), "the SARIF log") as report:
        try:
            yield report
        except ConfigError as error:
            report.diagnostics += error.problems
            raise


@contextmanager
def write_junit(path: Path | None) -> Iterator[JUnitReport]:
    """Collect deployments, and write them to a file when the command ends."""
    with _write_at_end(path, JUnitReport(), "the JUnit report") as report:
        yield report


R = TypeVar("R", bound=_Report)


@contextmanager
def _write_at_end(path: Path | None, report: R, noun: str) -> Iterator[R]:
    """
    Write a report when the command ends, even if it fails.

    An empty report is written at the start, so that an unwritable file is reported before anything is done, and the
    report of an earlier run is not mistaken for that of this run.
    """
    if path is None:
        yield report
        return
    from sfcode.atomic_write import write_whole

    write_whole(path, spell_out(report.render()), noun)
    try:
        yield report
    finally:
        write_whole(path, spell_out(report.render()), noun)
