"""`sfcode relay`: run the service that carries the data, and look after what it holds."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click

from sfcode.errors import UsageError

NEEDED = ("sqlalchemy", "psycopg", "structlog", "prometheus_client", "httpx2", "aiolimiter")

VERBS = {
    "serve": ("serve", "Take in messages and deliver them, until Ctrl-C."),
    "status": ("inbox", "Say how much waits, what is stuck and why, and who works."),
    "list": ("inbox", "List messages of the inbox."),
    "replay": ("inbox", "Deliver parked or given-up messages after all."),
    "lift": ("inbox", "Say that an alarm has been seen to."),
    "reconcile": ("carry", "Send what changed in Salesforce since the last time."),
    "backfill": ("carry", "Send every record once, through Bulk API 2.0."),
}
"""Verb: its module and its help line. A module is loaded when one of its verbs is used."""


class Verbs(click.Group):
    """A group that imports a verb's module only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one verb."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"sfcode.cli.relay.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(cls=Verbs)
def relay() -> None:
    """
    Run the relay, which carries the data between Appcues and Salesforce, and look after its inbox.

    All but serve work on the inbox itself (SFCODE_RELAY_DATABASE_URL), whether or not a relay is running.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        from sfcode.install_source import install_command

        raise UsageError(
            f"The relay needs packages that are not installed: {', '.join(missing)}.",
            f"Install them: {install_command('relay')}",
        )
