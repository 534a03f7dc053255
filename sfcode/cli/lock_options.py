"""Options about the lock of an org."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType):  # type: ignore[type-arg]  # no arguments at run time
    """`30s`, `5m`, `1h`; a number alone is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text as seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6})\s*([smh]?)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration. Write 30s, 5m or 1h.", param, ctx)
        return float(int(found[1]) * UNITS[found[2]])


def lock_options(command: Command) -> Command:
    """Add the options about the lock."""
    patience = click.option(
        "--lock-timeout",
        type=Duration(),
        default="0s",
        show_default=True,
        metavar="DURATION",
        help="How long to wait for another apply, or another tool that changes the setup of this org: 30s, 5m, 1h.",
    )
    wanted = click.option("--lock/--no-lock", default=True, help="Keep a second apply from running in the org.")
    return patience(wanted(command))
