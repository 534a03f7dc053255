"""`sfcode relay notify`: show the receivers of alarms, and send each a test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.errors import SfcodeError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.relay.notify.receivers import Receiver


@click.command("notify")
@click.option("--test", "is_test", is_flag=True, help="Send each receiver a notification of the kind `test`.")
@click.pass_obj
def notify_command(invocation: Invocation, *, is_test: bool) -> None:
    """
    Show the receivers of alarms (relay.notify), and the number of waiting notifications.

    With --test, sends each receiver a test notification. This needs the variables with the URLs and secrets, but no
    running relay.
    """
    from sfcode.relay.notify.receivers import read_receivers

    project = invocation.project()
    receivers = read_receivers(project, os.environ)
    if not receivers:
        print_status(invocation, "Nobody is notified: relay.notify lists no receiver.")
    outcomes: dict[str, str] = {}
    waiting: dict[str, int] = {}
    if is_test:
        outcomes = asyncio.run(_send_tests(project, receivers))
    elif receivers:
        with open_project_inbox(invocation) as inbox:
            waiting = inbox.notifications.waiting()
    if invocation.json:
        print_envelope([_document(receiver, outcomes, waiting) for receiver in receivers])
    else:
        for receiver in receivers:
            echo(_line(receiver, outcomes, waiting))
    _check(outcomes)


async def _send_tests(project: Project, receivers: Sequence[Receiver]) -> dict[str, str]:
    """Send each receiver a test; return the status or the error of each request, by receiver."""
    import secrets

    from sfcode.relay.inbox.notifications import AlarmNotification
    from sfcode.relay.notify.notifier import open_client, send
    from sfcode.relay.notify.render import NotifyingRelay

    token = secrets.token_hex(8)
    sender = NotifyingRelay.of(project)
    tests = [AlarmNotification(receiver.name, 0, "test", "test", token) for receiver in receivers]
    async with open_client() as client:
        sends = (send(client, test, receiver, sender) for test, receiver in zip(tests, receivers, strict=True))
        outcomes = await asyncio.gather(*sends)
    return {receiver.name: outcome for receiver, (outcome, _) in zip(receivers, outcomes, strict=True)}


def _document(receiver: Receiver, outcomes: dict[str, str], waiting: dict[str, int]) -> dict[str, object]:
    document = {"receiver": receiver.name, "form": receiver.form, "alarms": list(receiver.rule.alarms) or None}
    return document | ({"outcome": outcomes[receiver.name]} if outcomes else {"waiting": waiting.get(receiver.name, 0)})


def _line(receiver: Receiver, outcomes: dict[str, str], waiting: dict[str, int]) -> str:
    alarms = ", ".join(receiver.rule.alarms) or "all alarms"
    end = outcomes.get(receiver.name) or f"{waiting.get(receiver.name, 0):,} waiting"
    return f"{receiver.name} ({receiver.form}; {alarms}): {end}"


def _check(outcomes: dict[str, str]) -> None:
    """Raise SfcodeError if a receiver did not accept its test."""
    from sfcode.relay.notify.notifier import is_accepted

    failed = [f"{name} ({outcome})" for name, outcome in outcomes.items() if not is_accepted(outcome)]
    if failed:
        raise SfcodeError(
            f"The test was not accepted by {', '.join(failed)}.",
            "Check the variables of the receiver's URL and secret, and the receiver's log.",
        )
