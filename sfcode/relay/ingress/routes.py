"""The URL paths to which Appcues and Salesforce send, and their endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp, Receive, Scope, Send

from sfcode.config.project import Project
from sfcode.errors import ConfigError
from sfcode.relay.ingress import responses
from sfcode.relay.ingress.appcues_endpoint import AppcuesEndpoint
from sfcode.relay.ingress.client_address import networks
from sfcode.relay.ingress.endpoint import Accept, Committer, IngressEndpoint, NotFound
from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.salesforce_endpoint import SalesforceEndpoint
from sfcode.relay.ingress.secrets import IngressSecrets, secret_problems
from sfcode.relay.instrumentation import IngressEvents


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class IngressRouter:
    """
    Passes a request to the endpoint of its path, and answers 404 to paths that do not match exactly.

    It is a plain ASGI application, since the overhead of a framework takes as long as parsing a message.
    """

    def __init__(self, appcues: ASGIApp, salesforce: ASGIApp) -> None:
        self._appcues = appcues
        self._salesforce = salesforce
        self._not_found = NotFound()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        values: dict[str, str] = {}
        match scope["path"].split("/"):
            case ["", "webhooks", "appcues"]:
                endpoint = self._appcues
            case ["", "webhooks", "appcues", token] if token:
                endpoint, values = self._appcues, {"token": token}
            case ["", "outbound-messages", mapping, token] if mapping and token:
                endpoint, values = self._salesforce, {"mapping": mapping, "token": token}
            case _:
                endpoint = self._not_found
        await endpoint({**scope, "path_params": values}, receive, send)


def build_router(
    project: Project,
    accept: Accept,
    secrets: IngressSecrets,
    organization: Callable[[], str | None],
    instrumentation: IngressEvents,
    *,
    clock: Callable[[], datetime] = utc_now,
    limits: IngressLimits | None = None,
) -> IngressRouter:
    """
    Return the application that receives webhooks and outbound messages. Raises ConfigError if a secret is invalid.

    `accept` commits messages and returns once they are committed. `organization`
    returns the ID of the org that messages must come from; None while it is unknown.
    """
    problems = list(secret_problems(project, secrets))
    if problems:
        raise ConfigError(problems)
    bounds = limits or IngressLimits()
    work, committer = WorkInProgress(bounds), Committer(accept, bounds)
    proxies = networks(project.settings.relay.trusted_proxies)
    webhooks = AppcuesEndpoint(
        project, secrets.of_webhooks(), committer=committer, clock=clock, limits=bounds, work=work
    )
    outbound = SalesforceEndpoint(
        project,
        secrets.of_outbound(),
        committer=committer,
        organization=organization,
        instrumentation=instrumentation,
        limits=bounds,
        work=work,
    )
    appcues = IngressEndpoint("appcues", webhooks.handle, responses.answer_refused, work, instrumentation, proxies)
    salesforce = IngressEndpoint("salesforce", outbound.handle, responses.fault, work, instrumentation, proxies)
    return IngressRouter(appcues, salesforce)
