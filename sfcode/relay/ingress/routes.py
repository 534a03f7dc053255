"""The HTTP routes that Appcues and Salesforce send to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.routing import BaseRoute, Route

from sfcode.config.project import Project
from sfcode.errors import ConfigError
from sfcode.relay.ingress import responses
from sfcode.relay.ingress.appcues_endpoint import AppcuesEndpoint
from sfcode.relay.ingress.client_address import networks
from sfcode.relay.ingress.endpoint import Accept, Counter, IngressEndpoint, NotFound
from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.salesforce_endpoint import SalesforceEndpoint
from sfcode.relay.ingress.secrets import IngressSecrets, secret_problems
from sfcode.relay.instrumentation import IngressEvents


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def routes(
    project: Project,
    accept: Accept,
    secrets: IngressSecrets,
    organization: Callable[[], str | None],
    instrumentation: IngressEvents,
    *,
    clock: Callable[[], datetime] = utc_now,
    limits: IngressLimits | None = None,
) -> list[BaseRoute]:
    """
    Return the routes. Raises ConfigError where a secret cannot be used.

    `accept` commits messages and returns when they are; it is all that is needed to answer. `organization`
    tells the id of the org that messages have to come from, None as long as that is not known.
    """
    problems = list(secret_problems(project, secrets))
    if problems:
        raise ConfigError(problems)
    bounds = limits or IngressLimits()
    work, counter = WorkInProgress(bounds), Counter(accept, bounds)
    proxies = networks(project.settings.relay.trusted_proxies)
    webhooks = AppcuesEndpoint(project, secrets.of_webhooks(), counter=counter, clock=clock, limits=bounds, work=work)
    outbound = SalesforceEndpoint(
        project,
        secrets.of_outbound(),
        counter=counter,
        organization=organization,
        instrumentation=instrumentation,
        limits=bounds,
        work=work,
    )
    appcues = IngressEndpoint("appcues", webhooks.handle, responses.refused, work, instrumentation, proxies)
    salesforce = IngressEndpoint("salesforce", outbound.handle, responses.fault, work, instrumentation, proxies)
    return [
        Route("/webhooks/appcues", appcues),
        Route("/webhooks/appcues/{token}", appcues),
        Route("/outbound-messages/{mapping}/{token}", salesforce),
        # What is nearly an address must not be answered by whatever else the server has.
        Route("/webhooks/{rest:path}", NotFound()),
        Route("/outbound-messages/{rest:path}", NotFound()),
    ]
