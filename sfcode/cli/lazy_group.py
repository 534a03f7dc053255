"""A group of verbs whose modules are imported on use, so that `--help` and all verbs start fast."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.filled import refuse_blank_values
from sfcode.cli.global_options import accept_global_options
from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class LazyVerb:
    """A verb that is not imported yet: its line in `--help`, and the module of its command."""

    summary: str
    module: str
    attribute: str


class LazyGroup(click.Group):
    """A group that imports the module of a verb when the verb is called, and has the help lines of all verbs."""

    def __init__(self, *args: Any, verbs: Mapping[str, LazyVerb], **options: Any) -> None:
        super().__init__(*args, **options)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the verbs in the order of the table."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb, and let it accept the global options."""
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        command: click.Command = getattr(import_module(verb.module), verb.attribute)
        refuse_blank_values(command)
        accept_global_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; if it does not exist, suggest a similar one."""
        if args and not args[0].startswith("-") and args[0] not in self.verbs:
            from sfcode.config.did_you_mean import find_nearest_name  # slow to import, and rarely needed

            nearest = find_nearest_name(args[0], self.verbs)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {nearest}?" if nearest else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete verbs by the table, and options, without importing any of their modules."""
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(name, help=verb.summary) for name, verb in self.verbs.items() if name.startswith(incomplete)
        ]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in self.verbs.items()])
