"""Options of several verbs; related options are passed to a verb as one value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.global_options import Command
from sfcode.errors import UsageError
from sfcode.lazy_dataclasses import dataclass, fields
from sfcode.metadata.component import Address

if TYPE_CHECKING:
    from sfcode.org import DeployOptions
    from sfcode.plan.modes import Mode, PlanRequest


TEST_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
"""Seconds by unit of a duration."""


def collect_options(cls: type, parameter: str) -> Callable[[Command], Command]:
    """Pass the options with the names of a dataclass's fields to the verb as one value of the dataclass."""
    names = [field.name for field in fields(cls)]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*args: Any, **options: Any) -> Any:
            options[parameter] = cls(**{name: options.pop(name) for name in names})
            return command(*args, **options)

        return run  # type: ignore[return-value]

    return decorate


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Options of plans: adoptions, allowed deletions, targets, and limits on changes."""

    adopt: tuple[Address, ...] = ()
    adopt_managed: bool = False
    allow_delete: tuple[Address, ...] = ()
    targets: tuple[Address, ...] = ()
    max_destroy: str | None = None
    max_change: str | None = None

    def make_request(self, mode: Mode) -> PlanRequest:
        """Return the request for a plan of this mode."""
        from sfcode.plan.modes import Limits, PlanRequest

        limits = Limits(self.max_destroy, self.max_change)
        return PlanRequest(
            mode,
            adopt=self.adopt,
            adopt_managed=self.adopt_managed,
            allow_delete=self.allow_delete,
            targets=self.targets,
            limits=limits,
        )


def plan_options(command: Command) -> Command:
    """Add the options of PlanOptions, as the argument `choices`."""
    command = collect_options(PlanOptions, "choices")(command)
    for word in ("change", "destroy"):
        command = click.option(
            f"--max-{word}",
            metavar="LIMIT",
            callback=_read_limit,
            help=f"How many components this plan may {word}: 3, or 25%. Overrides safety.max_{word} of sfcode.yaml.",
        )(command)
    command = click.option(
        "--target",
        "targets",
        metavar="ADDRESS",
        multiple=True,
        callback=parse_addresses,
        help="Plan only this address, for emergencies: no other change is applied. Repeatable.",
    )(command)
    command = allow_delete_option(command)
    command = click.option(
        "--adopt-managed",
        is_flag=True,
        help="Manage existing components whose description states that sfcode manages them, for example after the state was lost.",
    )(command)
    return click.option(
        "--adopt",
        metavar="ADDRESS",
        multiple=True,
        callback=parse_addresses,
        help="Manage this existing, so far unmanaged component. Repeatable.",
    )(command)


def allow_delete_option(command: Command) -> Command:
    """Add the option that allows the deletion of a field with its values."""
    option = click.option(
        "--allow-delete",
        metavar="ADDRESS",
        multiple=True,
        callback=parse_addresses,
        help="Delete this field although records hold values in it. Repeatable.",
    )
    return option(command)


@dataclass(frozen=True, slots=True)
class ApexTestOptions:
    """Which Apex tests a deployment runs."""

    test_level: str | None = None
    tests: tuple[str, ...] = ()

    def make_deploy_options(self) -> DeployOptions:
        """
        Return the options of a deployment.

        Raises:
            UsageError: The options cannot be combined.

        """
        from sfcode.org import DeployOptions

        if bool(self.tests) != (self.test_level == "RunSpecifiedTests"):
            raise UsageError("--tests and --test-level RunSpecifiedTests go together.", "Pass both, or neither.")
        return DeployOptions(test_level=self.test_level, run_tests=self.tests)


def apex_test_options(command: Command) -> Command:
    """Add the options of ApexTestOptions, as the argument `apex_tests`."""
    level = click.option(
        "--test-level",
        type=click.Choice(TEST_LEVELS),
        metavar="LEVEL",
        help=f"Apex tests that the org runs with the deployment: {', '.join(TEST_LEVELS)}. Default: the org decides.",
    )
    tests = click.option(
        "--tests", metavar="CLASS", multiple=True, help="Test class, with --test-level RunSpecifiedTests. Repeatable."
    )
    return level(tests(collect_options(ApexTestOptions, "apex_tests")(command)))


@dataclass(frozen=True, slots=True)
class LockOptions:
    """Whether to lock the org, and how many seconds to wait for the lock of another apply."""

    lock: bool = True
    lock_timeout: float = 0.0


def lock_options(command: Command) -> Command:
    """Add the options of LockOptions, as the argument `locking`."""
    timeout = click.option(
        "--lock-timeout",
        type=Duration(),
        default="0s",
        show_default=True,
        metavar="DURATION",
        help="How long to wait for another apply, or another tool that changes the setup of this org: 30s, 5m, 1h.",
    )
    lock = click.option("--lock/--no-lock", default=True, help="Lock the org against a second apply.")
    return timeout(lock(collect_options(LockOptions, "locking")(command)))


class Duration(click.ParamType):  # type: ignore[type-arg]  # no arguments at run time
    """A duration such as `30s`, `5m` or `1h`; a number without unit is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text as seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d{1,6})\s*([smh]?)", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is not a duration. Write 30s, 5m or 1h.", param, ctx)
        return float(int(match[1]) * UNITS[match[2]])


def parse_addresses(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Address, ...]:
    """Parse the addresses of an option or argument."""
    try:
        return tuple(Address.parse(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _read_limit(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from sfcode.config.safety_models import read_limit

    try:
        return None if value is None else read_limit(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}. Write 3 or 25%.") from error
