"""`sfcode relay test`: a test event through a running relay to a record, checked and removed afterwards."""

from __future__ import annotations

import json
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from sfcode.cli.filled import FILLED
from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import operator
from sfcode.cli.relay.table import TimeFormat
from sfcode.errors import Refused, SfcodeError, UsageError
from sfcode.hosts import is_loopback

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.relay.inbox import Inbox, StoredMessage
    from sfcode.relay.message import AttemptedWrite

POLL_SECONDS = 0.2
POST_SECONDS = 15.0
WITHDRAW_SECONDS = 60.0
"""Seconds that a failed test waits for a delivery in progress: the default length of a lease."""
ITEM_KEYS = ("flowName", "checklistName", "itemName", "goalName", "surveyName")
"""Attributes that name the item of an event, one for each kind of item. The test writes its mark into all of them."""


@click.command("test")
@click.option("--user", required=True, type=FILLED, metavar="ID", help="ID of the Appcues user for the test event.")
@click.option("--url", metavar="URL", help="Address of the relay, if it is not relay.url of the config.")
@click.option("--allow-production", is_flag=True, help="Allow a production org or a protected environment.")
@click.option(
    "--timeout",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the delivery.",
)
@click.pass_obj
def trial_command(
    invocation: Invocation, user: str, url: str | None, timeout: float, *, allow_production: bool
) -> None:
    """
    Send a test event through the running relay to the record of a user, check it, and remove it.

    Sends a signed webhook as Appcues does, waits for its delivery, reads the activity in Salesforce, and deletes it. Needs
    the inbox, the webhook's secret, and a sign-in that may read and delete activities. Reports each step.
    """
    project = invocation.project()
    event = choose_event(project)
    mark = f"sfcode relay test {secrets.token_hex(6)}"
    with open_project_inbox(invocation) as inbox, invocation.open_org(project) as org:
        _check_org(project, org, allow_production=allow_production)
        body, start = _render_event(event, user, mark), inbox.stats().now
        try:
            answer = _post(project, url or project.settings.relay.url, body)
            print_status(invocation, f"Sent appcues:{event} of user {user}: the relay answered {answer}.")
            stored = _wait(inbox, user, mark, start, timeout)
        except (SfcodeError, KeyboardInterrupt):
            _withdraw(inbox, org, _find_marked(inbox, user, mark, start))
            raise
        created = _list_created(stored)
        print_status(invocation, f"Delivered as message {stored.entry.id}, after {_seconds(stored):.1f} s.")
        try:
            _check_records(org, created)
        finally:
            for write in created:
                org.delete(write.object, write.record_id)
    for write in created:
        print_status(invocation, f"Found and removed {write.object} {write.record_id}.")
    if invocation.json:
        records = [{"object": write.object, "id": write.record_id} for write in created]
        print_envelope({"message": stored.entry.id, "seconds": round(_seconds(stored), 3), "removed": records})
    else:
        echo("The relay works.")


def choose_event(project: Project) -> str:
    """Return an event that becomes an activity and sets no field. Raises Refused if no mapping has one."""
    for mapping in project.resolved:
        for event in mapping.activities if mapping.by_relay else ():
            if not event.items and not event.name.startswith("nps_"):
                return event.name
    raise Refused(
        "No mapping logs an activity that a test could remove again.",
        "List an event such as flow_completed under to_salesforce.activities of a mapping.",
    )


def _check_org(project: Project, org: Org, *, allow_production: bool) -> None:
    identity = org.identity
    is_local = is_loopback(urlsplit(identity.instance_url).hostname or "")
    is_production = not (is_local or identity.sandbox or identity.organization_type == "Developer Edition")
    if (is_production or project.target.protected) and not allow_production:
        raise Refused(
            f"{identity.name} is a production org or a protected environment.",
            "Pass --allow-production to write and remove one activity there.",
        )


def _render_event(event: str, user: str, mark: str) -> bytes:
    """Return the body of a webhook as Appcues sends it, with the test's mark in all attributes that name an item."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = dict.fromkeys(ITEM_KEYS, mark)
    body = {"name": f"appcues:{event}", "user_id": user, "timestamp": stamp, "attributes": attributes}
    return json.dumps(body).encode()


def _post(project: Project, url: str, body: bytes) -> int:
    """Send a webhook with the authentication of the project; return the status. Raises SfcodeError unless it is 2xx."""
    import requests

    from sfcode.local.appcues.webhook import Auth, Webhook, build_request
    from sfcode.relay.ingress.secrets import WEBHOOK

    settings = project.settings.relay.webhook_auth
    if settings.signed or settings.timestamp_header:
        raise UsageError(
            "This test cannot sign what relay.webhook_auth.signed asks for.",
            "Send an event with Appcues' own test button.",
        )
    secret = os.environ.get(WEBHOOK, "").strip()
    if settings.scheme != "none" and not secret:
        raise UsageError(f"{WEBHOOK} is not set.", "Set it to the secret that the running relay has.")
    auth_settings: dict[str, Any] = {
        name: getattr(settings, name) for name in ("header", "algorithm", "encoding", "prefix")
    }
    auth = Auth(settings.scheme, secret, **{name: value for name, value in auth_settings.items() if value})
    address = f"{url.rstrip('/')}/webhooks/appcues"
    target, headers = build_request(Webhook(address, auth), f"msg_{secrets.token_hex(12)}", body, datetime.now(UTC))
    try:
        answer = requests.post(target, body, headers=headers, timeout=POST_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise SfcodeError(
            f"The relay at {url} does not answer: {type(error).__name__}.", "Start it, or pass its address with --url."
        ) from None
    if not 200 <= answer.status_code < 300:
        raise SfcodeError(
            f"The relay at {url} refused the event: {answer.status_code}.",
            f"Compare {WEBHOOK} with the secret of the relay, and read the relay's log.",
        )
    return answer.status_code


def _wait(inbox: Inbox, user: str, mark: str, start: datetime, timeout: float) -> StoredMessage:
    """Wait until the event of this test is delivered. Raises SfcodeError if it is blocked or takes too long."""
    from sfcode.relay.story import render_story, tell_story

    end, stored = time.monotonic() + timeout, None
    while time.monotonic() < end:
        ids = _find_marked(inbox, user, mark, start)
        stored = inbox.find(ids[0]) if ids else None
        if stored is not None and stored.entry.state == "done" and _list_created(stored):
            return stored
        if stored is not None and stored.entry.finished_at is not None:
            break
        time.sleep(POLL_SECONDS)
    if stored is None:
        raise SfcodeError("The event is not in this inbox.", "Check that the relay uses SFCODE_RELAY_DATABASE_URL.")
    story = tell_story(stored, None)
    lines = "\n".join(render_story(story, TimeFormat().format))
    raise SfcodeError(f"The event wrote no activity.\n{lines}", story.hint or "Check the user ID, and the mapping.")


def _find_marked(inbox: Inbox, user: str, mark: str, start: datetime) -> tuple[int, ...]:
    """Return the IDs of the messages of this test."""
    from sfcode.relay.inbox import Filter

    choice = Filter(subject=f"user:{user}", since=start - timedelta(minutes=1))
    return tuple(entry.id for entry in inbox.page(choice, 50) if mark in json.dumps(dict(entry.payload)))


def _withdraw(inbox: Inbox, org: Org, ids: tuple[int, ...]) -> None:
    """Discard the undelivered messages of a failed test, and delete the records that the delivered ones have created."""
    from sfcode.relay.inbox import Filter
    from sfcode.relay.inbox.admin import DISCARDABLE

    end = time.monotonic() + WITHDRAW_SECONDS
    while True:
        messages = [stored for stored in map(inbox.find, ids) if stored]
        states = {stored.entry.state for stored in messages}
        for state in states.intersection(DISCARDABLE):
            inbox.discard(Filter(ids=ids, state=state), operator())
        if states <= {"done"} or time.monotonic() > end:
            break
        time.sleep(POLL_SECONDS)
    for write in [write for stored in messages for write in _list_created(stored)]:
        org.delete(write.object, write.record_id)


def _list_created(stored: StoredMessage) -> list[AttemptedWrite]:
    """Return the records that the message has created."""
    writes = [write for event in stored.history for write in event.writes]
    return [write for write in writes if write.verb != "update" and write.status == "ok" and write.record_id]


def _seconds(stored: StoredMessage) -> float:
    finished = stored.entry.finished_at or stored.entry.received_at
    return (finished - stored.entry.received_at).total_seconds()


def _check_records(org: Org, created: list[AttemptedWrite]) -> None:
    for write in created:
        if not org.collections.query(f"SELECT Id FROM {write.object} WHERE Id = '{write.record_id}'"):  # noqa: S608
            raise SfcodeError(
                f"{write.object} {write.record_id} was written and cannot be read.",
                "Check that this sign-in may read it, and which automation of the org changes or deletes it.",
            )
