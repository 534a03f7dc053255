"""Start a relay process: open the port and the inbox, build the service, run it."""

from __future__ import annotations

import random
from collections.abc import Callable
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


def serve(project: Project, settings: RelaySettings, connect: Callable[[], Org], ready: Callable[[str], None]) -> None:
    """
    Serve until SIGTERM or SIGINT.

    `connect` signs in to Salesforce; it is called when the relay runs, and again until it succeeds.
    `ready` hears the address as soon as requests are answered.
    """
    if (
        settings.directions.to_salesforce
        and not settings.ingress.webhook
        and project.settings.relay.webhook_auth.scheme != "none"
    ):
        log.warning("webhooks_are_refused", hint="set SFCODE_RELAY_WEBHOOK_SECRET")
    with (
        listen(settings.host, settings.port) as listener,
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
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{listener.getsockname()[1]}"
        run(service, ingress, listener, lambda: ready(url))


def _to_salesforce(service: Service, org: Org) -> Writer:
    return salesforce.make_writer(
        service.project, org, service.inbox.latest, service.instrumentation, late=service.settings.lease
    )


def _to_appcues(service: Service, types: appcues.FieldTypeCache) -> Writer:
    return appcues.make_writer(
        service.project, service.settings, service.inbox.latest, service.instrumentation, types=types, rate=service.rate
    )
