"""
`POST /outbound-messages/{mapping}/{token}`.

Salesforce sends a message again for up to a day unless it is acknowledged. An authentic message is
acknowledged once it is stored, even if it cannot be delivered, since a repetition would not help. A message is refused
if it may be accepted later (once the token is changed on both sides, or the relay has the mapping), or if it must not be
stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from sfcode.config.project import Project
from sfcode.relay.ingress import client_address, responses
from sfcode.relay.ingress.auth.scheme import matches_any, reveal_all, single_header
from sfcode.relay.ingress.body import BodyReceiver, check_content_type
from sfcode.relay.ingress.endpoint import Committer, run_in_thread_if_large
from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.responses import HttpError, busy
from sfcode.relay.ingress.salesforce_parser import Sender, message, query_version, same_organization, senders
from sfcode.relay.ingress.soap import parse
from sfcode.relay.instrumentation import IngressEvents
from sfcode.secret import Secret

_TYPES = frozenset({"text/xml", "application/xml"})
_OTHER_ORG = (
    "An outbound message came from an org that the relay is not signed in to. A copy of an org, such as "
    "a sandbox, has the same messages and secret: give it its own relay, or deactivate its flows."
)


class SalesforceEndpoint:
    """Accepts outbound messages of Salesforce."""

    def __init__(
        self,
        project: Project,
        secrets: Sequence[Secret],
        *,
        committer: Committer,
        organization: Callable[[], str | None],
        instrumentation: IngressEvents,
        limits: IngressLimits,
        work: WorkInProgress,
    ) -> None:
        relay = project.settings.relay
        self._networks = client_address.networks(relay.outbound.networks)
        self._proxies = client_address.networks(relay.trusted_proxies)
        self._certificate = relay.outbound.client_certificate
        self._secrets = secrets
        self._senders = senders(project)
        self._committer = committer
        self._organization = organization
        self._instrumentation = instrumentation
        self._limits = limits
        self._bodies = BodyReceiver(limits, work, most=limits.outbound_bytes)

    async def handle(self, request: Request, client: str) -> Response:
        """Answer the request of a client. Raises HttpError."""
        sender = self._sender(request)
        organization = self._organization()
        if organization is None:
            raise busy(self._limits.busy_seconds, "organization_unknown")
        check_content_type(request.headers, _TYPES)
        async with self._bodies.receive(request, client) as body:
            outbound_message = await run_in_thread_if_large(len(body), parse, body, self._limits)
            if not same_organization(outbound_message.organization_id, organization):
                self._instrumentation.raise_alarm("other_organization", _OTHER_ORG)
                raise HttpError(403, "forbidden", detail="other_organization")
            version = query_version(request.query_params.get("v"))
            await self._committer.commit(
                [message(sender, version, notification) for notification in outbound_message.notifications]
            )
        return responses.acknowledge()

    def _sender(self, request: Request) -> Sender:
        """Authenticate a request, and return the sending mapping."""
        if self._networks and not client_address.is_within(
            client_address.original_address(request, self._proxies), self._networks
        ):
            raise HttpError(403, "forbidden", detail="network")
        if self._certificate is not None:
            presented_value = single_header(request.headers, self._certificate.header).encode("latin-1")
            by_proxy = client_address.is_within(client_address.peer_address(request), self._proxies)
            if not (matches_any(presented_value, [self._certificate.value.encode()]) and by_proxy):
                raise HttpError(403, "forbidden", detail="certificate")
        token = str(request.path_params["token"]).encode("utf-8", "surrogatepass")
        if not matches_any(token, reveal_all(self._secrets)):
            raise HttpError(401, "unauthorized", {"WWW-Authenticate": "Token"}, detail="token_wrong")
        sender = self._senders.get(str(request.path_params["mapping"]).lower())
        if sender is None:
            raise HttpError(404, "not_found", detail="unknown_mapping")
        return sender
