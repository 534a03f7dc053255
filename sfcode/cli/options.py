"""Options that more than one verb takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sfcode.metadata.component import Address


class AddressParam(click.ParamType):
    """An address on the command line, `Type:FullName`."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """Read the address, or fail with click's own error."""
        if isinstance(value, Address):
            return value
        try:
            return Address.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


F = TypeVar("F", bound=Callable[..., Any])


def ownership_options(command: F) -> F:
    """Add the options by which the user takes responsibility for an address."""
    adopt = click.option(
        "--adopt",
        type=AddressParam(),
        metavar="ADDRESS",
        multiple=True,
        help="Take on a component that the org has and sfcode did not put there. Repeatable.",
    )
    allow_delete = click.option(
        "--allow-delete",
        type=AddressParam(),
        metavar="ADDRESS",
        multiple=True,
        help="Delete this field although records hold values in it. Repeatable.",
    )
    return adopt(allow_delete(command))
