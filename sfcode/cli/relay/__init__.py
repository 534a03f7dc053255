"""`sfcode relay`: run the service that carries the data, and manage its messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any

import click

from sfcode.cli.lazy_group import LazyGroup, LazyVerb
from sfcode.errors import UsageError

NEEDED = ("sqlalchemy", "psycopg", "structlog", "prometheus_client", "httpx2", "aiolimiter")
"""Modules of the extra `relay`; the help of every verb works without them."""

_PACKAGE = "sfcode.cli.relay"
VERBS = {
    "serve": LazyVerb("Receive messages and deliver them, until Ctrl-C.", f"{_PACKAGE}.serve", "serve_command"),
    "status": LazyVerb(
        "Show queue size, blocked messages and running processes.", f"{_PACKAGE}.inbox", "status_command"
    ),
    "list": LazyVerb("List messages of the inbox.", f"{_PACKAGE}.messages", "list_command"),
    "show": LazyVerb("Show a message and its history.", f"{_PACKAGE}.messages", "show_command"),
    "tail": LazyVerb("Follow new messages and their results.", f"{_PACKAGE}.messages", "tail_command"),
    "replay": LazyVerb("Deliver parked messages and dead letters again.", f"{_PACKAGE}.change", "replay_command"),
    "discard": LazyVerb("Set messages to done without delivering them.", f"{_PACKAGE}.change", "discard_command"),
    "pause": LazyVerb("Pause the deliveries of a mapping or a direction.", f"{_PACKAGE}.change", "pause_command"),
    "resume": LazyVerb("End a pause.", f"{_PACKAGE}.change", "resume_command"),
    "test": LazyVerb("Send a test event through the running relay.", f"{_PACKAGE}.trial", "trial_command"),
    "audit": LazyVerb("List the changes that people made in the inbox.", f"{_PACKAGE}.change", "audit_command"),
    "forget": LazyVerb("Delete the data of one person from the inbox.", f"{_PACKAGE}.inbox", "forget_command"),
    "export": LazyVerb("Print the data of one person as JSON.", f"{_PACKAGE}.export", "export_command"),
    "learn": LazyVerb(
        "Propose the paths of webhooks' values, and replay messages.", f"{_PACKAGE}.learn", "learn_command"
    ),
    "explain": LazyVerb("Show what an event would write.", f"{_PACKAGE}.explain", "explain_command"),
    "load": LazyVerb("Import past NPS answers from an export of Appcues.", f"{_PACKAGE}.load", "load_command"),
    "ack": LazyVerb("Acknowledge an alarm.", f"{_PACKAGE}.inbox", "ack_command"),
    "notify": LazyVerb("Show the receivers of alarms, or send a test.", f"{_PACKAGE}.notify", "notify_command"),
    "token": LazyVerb("Manage the tokens of the dashboard.", f"{_PACKAGE}.token", "token_command"),
    "reconcile": LazyVerb(
        "Send records that changed in Salesforce since the last run.", f"{_PACKAGE}.carry", "reconcile_command"
    ),
    "refresh": LazyVerb(
        "Send values that differ from Appcues, such as formulas.", f"{_PACKAGE}.refresh", "refresh_command"
    ),
    "backfill": LazyVerb("Send every record once, through Bulk API 2.0.", f"{_PACKAGE}.carry", "backfill_command"),
}
ALIASES = {"lift": "ack"}
"""Old names of verbs, which still work and are not listed."""


class RelayGroup(LazyGroup):
    """The verbs of the relay, each of which checks the packages that it needs before it runs."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        command = super().get_command(ctx, cmd_name)
        verbs = command.commands.values() if isinstance(command, click.Group) else [command]
        for verb in verbs:
            if verb is not None and verb.callback is not None and not hasattr(verb.callback, "checks_packages"):
                verb.callback = _check_packages(verb.callback)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, also by its old name."""
        return super().resolve_command(ctx, [ALIASES.get(args[0], args[0]), *args[1:]] if args else args)


@click.group(cls=RelayGroup, verbs=VERBS)
def relay() -> None:
    """
    Run the relay, which carries the data between Appcues and Salesforce, and manage its inbox.

    All commands except serve access the inbox directly (SFCODE_RELAY_DATABASE_URL). Only test needs a running relay.
    """


def _check_packages(callback: Callable[..., Any]) -> Callable[..., Any]:
    """
    Let a verb check the packages of the relay before it runs.

    Raises:
        UsageError: A package is missing; the hint has the command to install it.

    """

    @wraps(callback)
    def run(*args: Any, **options: Any) -> Any:
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            from sfcode.install_source import install_command

            raise UsageError(
                f"The relay needs packages that are not installed: {', '.join(missing)}.",
                f"Install them: {install_command('relay')}",
            )
        return callback(*args, **options)

    run.checks_packages = True  # type: ignore[attr-defined]
    return run
