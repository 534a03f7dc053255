"""
Values of options and arguments that are not blank.

A variable of a shell script may be empty. A blank value would then be none, and the command would work with another
org than the script names, or select the messages of everybody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_BLANK = "it is blank. Pass a value, or leave it out."


class FilledText(click.ParamType):  # type: ignore[type-arg]  # no arguments at run time
    """A text that is not blank."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        if not str(value).strip():
            self.fail(_BLANK, param, ctx)
        return str(value)


class FilledPath(click.Path):
    """A path that is not blank; a blank one would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not str(value).strip():
            self.fail(_BLANK, param, ctx)
        return super().convert(value, param, ctx)


FILLED = FilledText()
FILLED_PATH = FilledPath(path_type=Path)


def refuse_blank_values(command: click.Command) -> None:
    """
    Let all texts and paths of a verb, or of a group with all its verbs, refuse blank values.

    An option with a blank default accepts one.
    """
    for param in command.params:
        if param.type is click.STRING and param.default != "":
            param.type = FILLED
        elif type(param.type) is click.Path:
            filled = FilledPath()
            vars(filled).update(vars(param.type))
            param.type = filled
    if isinstance(command, click.Group):
        for child in command.commands.values():
            refuse_blank_values(child)
