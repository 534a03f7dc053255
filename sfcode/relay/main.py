"""Start a relay process: open the port and the inbox, build the service, run it."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime

import structlog

from sfcode.config.project import Project
from sfcode.org import Org
from sfcode.relay import appcues, salesforce
from sfcode.relay.inbox import open_inbox
from sfcode.relay.ingress import routes
from sfcode.relay.message import ClaimedMessage, Retry, Writer
from sfcode.relay.server import listen, run
from sfcode.relay.service import Service, Writers
from sfcode.relay.settings import RelaySettings
from sfcode.relay.worker.retry import retry_at

log = structlog.stdlib.get_logger(__name__)

BUSY_SECONDS = 1.0
"""How long a transaction waits for the database: then senders are answered 503, and workers try again."""


def serve(
    project: Project, settings: RelaySettings, connect: Callable[[], Org], ready: Callable[[str, str], None]
) -> None:
    """
    Serve until SIGTERM or SIGINT.

    `connect` signs in to Salesforce; it is called when the relay runs, and again until it succeeds.
    `ready` hears the address, and that of the dashboard, as soon as requests are answered.
    """
    if (
        settings.directions.to_salesforce
        and not settings.ingress.webhook
        and project.settings.relay.webhook_auth.scheme != "none"
    ):
        log.warning("webhooks_are_refused", hint="set SFCODE_RELAY_WEBHOOK_SECRET")
    with (
        listen(settings.host, settings.port) as listener,
        nullcontext() if settings.admin_port is None else listen(settings.host, settings.admin_port) as admin_listener,
        open_inbox(settings.database.reveal(), busy_seconds=BUSY_SECONDS) as inbox,
    ):
        rng = random.SystemRandom()

        def again_at(message: ClaimedMessage, retry: Retry) -> datetime | None:
            return retry_at(message, retry, datetime.now(UTC), rng)

        types = appcues.FieldTypeCache(project, inbox)
        far = Writers(connect, _to_salesforce, lambda service: _to_appcues(service, types), types)
        service = Service(project, settings, inbox, far, retry_at=again_at, rng=rng)
        ingress = routes(
            project, service.commit.accept, settings.ingress, lambda: service.organization, service.instrumentation
        )
        url = _url(settings.host, listener)
        admin_url = _url(settings.host, admin_listener or listener)
        run(service, ingress, listener, lambda: ready(url, admin_url), admin_listener)


def _url(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _to_salesforce(service: Service, org: Org) -> Writer:
    return salesforce.make_writer(
        service.project, org, service.inbox.latest, service.instrumentation, late=service.settings.lease
    )


def _to_appcues(service: Service, types: appcues.FieldTypeCache) -> Writer:
    return appcues.make_writer(
        service.project, service.settings, service.inbox.latest, service.instrumentation, types=types, rate=service.rate
    )
