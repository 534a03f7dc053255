"""The global options, which are accepted before and after the verb, and between a group and its verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from sfcode.cli.filled import FILLED, FILLED_PATH
from sfcode.cli.invocation import Invocation

Command = TypeVar("Command", bound=Callable[..., Any])

EPILOG = "Global options, such as --env and --json, are accepted here too; sfcode --help lists them."

_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "--config",
        {
            "type": FILLED_PATH,
            "show_default": "config, here or in a folder above",
            "envvar": "SFCODE_CONFIG",
            "help": "Folder with sfcode.yaml and mappings/.",
        },
    ),
    (
        "--env",
        {"type": FILLED, "metavar": "NAME", "envvar": "SFCODE_ENV", "help": "Environment of sfcode.yaml to work with."},
    ),
    (
        "--org",
        {
            "type": FILLED,
            "metavar": "ORG",
            "envvar": "SFCODE_ORG",
            "help": "Org, instead of the environment's: local, alias:NAME, env:PREFIX or an instance URL.",
        },
    ),
    ("--json", {"is_flag": True, "help": "Print one JSON object: status, result, warnings."}),
    ("--no-color", {"is_flag": True, "help": "Disable colors; NO_COLOR does the same."}),
    ("--quiet", {"is_flag": True, "help": "Print only results and errors."}),
    ("--verbose", {"is_flag": True, "help": "Print the whole traceback of an internal error."}),
)

NAMES = {"config": "named_config"}
"""Names of invocation attributes that differ from the option."""


def global_options(command: Command) -> Command:
    """Add the global options to the root command, which also reads them from environment variables."""
    for name, settings in reversed(_OPTIONS):
        command = click.option(name, callback=_set, expose_value=False, show_envvar="envvar" in settings, **settings)(
            command
        )
    return command


def accept_global_options(command: click.Command) -> None:
    """Let a verb, or a group with all its verbs, accept the global options like the root command."""
    if command.epilog == EPILOG:
        return
    command.epilog = EPILOG
    for name, settings in _OPTIONS:
        option_settings = {
            key: value for key, value in settings.items() if key not in ("default", "show_default", "envvar")
        }
        command.params.append(click.Option([name], callback=_set, expose_value=False, hidden=True, **option_settings))
    if isinstance(command, click.Group):
        for child in command.commands.values():
            accept_global_options(child)


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Store the value of an option in the invocation; if it is passed several times, the last one counts."""
    source = ctx.get_parameter_source(param.name or "")
    if source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        name = NAMES.get(str(param.name), str(param.name))
        ctx.obj = replace(ctx.obj or Invocation(), **{name: value})
        if param.name in ("json", "no_color"):
            ctx.color = False
