"""Options that more than one verb takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfcode.errors import UsageError
from sfcode.metadata.component import Address

if TYPE_CHECKING:
    from sfcode.org import DeployOptions

Command = TypeVar("Command", bound=Callable[..., Any])

TEST_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")


def _addresses(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Address, ...]:
    try:
        return tuple(Address.parse(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def allow_delete_option(command: Command) -> Command:
    """Add the option by which the user gives up what a field holds."""
    option = click.option(
        "--allow-delete",
        metavar="ADDRESS",
        multiple=True,
        callback=_addresses,
        help="Delete this field although records hold values in it. Repeatable.",
    )
    return option(command)


def ownership_options(command: Command) -> Command:
    """Add the options by which the user takes responsibility for an address, or singles it out."""
    adopt = click.option(
        "--adopt",
        metavar="ADDRESS",
        multiple=True,
        callback=_addresses,
        help="Take on a component that the org has and sfcode did not put there. Repeatable.",
    )
    target = click.option(
        "--target",
        "targets",
        metavar="ADDRESS",
        multiple=True,
        callback=_addresses,
        help="Look at this address only; for emergencies, since the rest stays half done. Repeatable.",
    )
    return adopt(allow_delete_option(target(command)))


def _limit(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from sfcode.config.safety_models import read_limit

    try:
        return None if value is None else read_limit(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}. Write 3 or 25%.") from error


def limit_options(command: Command) -> Command:
    """Add the options by which the user lets a plan do more than the config allows."""
    for word in ("change", "destroy"):
        option = click.option(
            f"--max-{word}",
            metavar="LIMIT",
            callback=_limit,
            help=f"Let this plan {word} as many components (3, 25%), whatever safety.max_{word} of sfcode.yaml says.",
        )
        command = option(command)
    return command


def test_options(command: Command) -> Command:
    """Add the options that say which Apex tests a deployment runs."""
    level = click.option(
        "--test-level",
        type=click.Choice(TEST_LEVELS),
        metavar="LEVEL",
        help=f"Apex tests that the org runs with the deployment: {', '.join(TEST_LEVELS)}. Default: as the org decides.",
    )
    tests = click.option(
        "--tests", metavar="CLASS", multiple=True, help="Test class, with --test-level RunSpecifiedTests. Repeatable."
    )
    return level(tests(command))


def deploy_options(test_level: str | None, tests: tuple[str, ...]) -> DeployOptions:
    """Read the options about Apex tests. Raises UsageError for a mixture that an org would refuse."""
    from sfcode.org import DeployOptions

    if bool(tests) != (test_level == "RunSpecifiedTests"):
        raise UsageError("--tests and --test-level RunSpecifiedTests go together.", "Give both, or neither.")
    return DeployOptions(test_level=test_level, run_tests=tests)
