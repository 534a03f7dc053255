"""Start a relay process: open the port and the inbox, build the service, run it."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

import structlog
from starlette.types import ASGIApp

from sfcode.org import Org
from sfcode.relay import appcues, salesforce
from sfcode.relay.api_calls import PendingApiCalls
from sfcode.relay.config import ConfigReloader, ConfigSource, RelayConfig
from sfcode.relay.inbox import open_inbox
from sfcode.relay.ingress import build_router
from sfcode.relay.ingress.endpoint import Accept
from sfcode.relay.message import ClaimedMessage, Retry, Writer
from sfcode.relay.server import listen, run
from sfcode.relay.service import Builders, Service
from sfcode.relay.worker.retry import retry_delay

log = structlog.stdlib.get_logger(__name__)

BUSY_SECONDS = 1.0
"""The time in seconds for which a transaction waits for the database. After it, senders get 503 and workers try
again."""


def serve(
    config: RelayConfig,
    source: ConfigSource,
    connect: Callable[[RelayConfig], Org],
    ready: Callable[[str, str], None],
    api_calls: PendingApiCalls,
) -> None:
    """
    Serve until SIGTERM or SIGINT, with `config` until `source` has another one.

    `connect` signs in to Salesforce; it is called after the start, and repeated until it succeeds.
    `ready` is called with the URL, and that of the dashboard, once requests are answered. `api_calls` counts the
    responses of the org.
    """
    settings = config.settings
    if (
        settings.directions.to_salesforce
        and not settings.ingress.webhook
        and config.project.settings.relay.webhook_auth.scheme != "none"
    ):
        log.warning("webhooks_are_refused", hint="set SFCODE_RELAY_WEBHOOK_SECRET")
    with (
        listen(settings.host, settings.port) as listener,
        nullcontext() if settings.admin_port is None else listen(settings.host, settings.admin_port) as admin_listener,
        open_inbox(settings.database.reveal(), busy_seconds=BUSY_SECONDS, keys=settings.data_keys) as inbox,
    ):
        rng = random.SystemRandom()

        def delay(message: ClaimedMessage, retry: Retry) -> timedelta | None:
            return retry_delay(message, retry, rng)

        builders = Builders(
            connect,
            build_ingress,
            _to_salesforce,
            _to_appcues,
            lambda config: appcues.FieldTypeCache(config.project, inbox),
        )
        service = Service(config, inbox, builders, retry_delay=delay, rng=rng, api_calls=api_calls)
        url = _url(settings.host, listener)
        admin_url = _url(settings.host, admin_listener or listener)
        run(service, listener, lambda: ready(url, admin_url), ConfigReloader(source, service), admin_listener)


def _url(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def build_ingress(service: Service, config: RelayConfig, accept: Accept | None = None) -> ASGIApp:
    """Build the application that receives webhooks and outbound messages; `accept` replaces the inbox."""
    return build_router(
        config.project,
        accept or service.commit.accept,
        config.settings.ingress,
        lambda: service.organization,
        service.instrumentation,
    )


def _to_salesforce(service: Service, config: RelayConfig, org: Org) -> Writer:
    return salesforce.make_writer(
        config.project, org, service.inbox, service.instrumentation, budget=service.api_budget, pauses=service.pauses
    )


def _to_appcues(service: Service, config: RelayConfig, types: appcues.FieldTypeCache) -> Writer:
    return appcues.make_writer(
        config.project,
        config.settings,
        service.inbox,
        service.instrumentation,
        types=types,
        rate=service.rate,
        pauses=service.pauses,
    )
