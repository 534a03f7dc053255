"""`POST /webhooks/appcues[/{token}]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from sfcode.config.project import Project
from sfcode.relay.appcues_payload import find_events
from sfcode.relay.group_progress import GroupProgress
from sfcode.relay.ingress import auth, responses
from sfcode.relay.ingress.appcues_parser import ParserSettings, messages, park_unparsed
from sfcode.relay.ingress.auth.scheme import single_header
from sfcode.relay.ingress.auth.standard import ID
from sfcode.relay.ingress.body import BodyReceiver, check_content_type, decode_text
from sfcode.relay.ingress.endpoint import Committer, run_in_thread_if_large
from sfcode.relay.ingress.header_shapes import describe_headers
from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.responses import HttpError
from sfcode.relay.ingress.strict_json import loads
from sfcode.relay.message import InboxMessage
from sfcode.secret import Secret

_TYPES = frozenset({"application/json", "text/json", "text/plain"})


class AppcuesEndpoint:
    """Accepts the webhooks of Appcues."""

    def __init__(
        self,
        project: Project,
        secrets: Sequence[Secret],
        *,
        committer: Committer,
        clock: Callable[[], datetime],
        limits: IngressLimits,
        work: WorkInProgress,
    ) -> None:
        relay = project.settings.relay
        self._id_header = relay.message_id.header if relay.message_id else None
        if relay.message_id is None and relay.webhook_auth.scheme == "standard_webhooks":
            self._id_header = ID
        self._scheme = auth.scheme(relay.webhook_auth, secrets, self._id_header)
        self._parser_settings = ParserSettings.of(project)
        self._progress = GroupProgress.of(project)
        self._committer = committer
        self._clock = clock
        self._limits = limits
        self._bodies = BodyReceiver(limits, work, most=limits.webhook_bytes, is_unsigned=self._scheme.signs_body)

    async def handle(self, request: Request, client: str) -> Response:
        """Answer the request of a client. Raises HttpError."""
        if "token" in request.path_params and not self._scheme.in_path:
            raise HttpError(404, "not_found")
        received = self._clock()
        token = str(request.path_params.get("token", ""))
        self._check_auth(self._scheme.check_head(request, token, received.timestamp()))
        check_content_type(request.headers, _TYPES, suffix="+json")
        async with self._bodies.receive(request, client) as body:
            self._check_auth(self._scheme.check_body(request, body))
            header_id = single_header(request.headers, self._id_header) if self._id_header else ""
            shapes = describe_headers(request.headers.items())
            inbox_messages = await run_in_thread_if_large(len(body), self._read, body, header_id, received, shapes)
            await self._committer.commit(inbox_messages)
        return responses.answer_stored()

    def _check_auth(self, wrong: str) -> None:
        if wrong:
            challenge = {"WWW-Authenticate": self._scheme.challenge}
            raise HttpError(401, "unauthorized", challenge, detail=wrong)

    def _read(
        self, body: bytes, header_id: str, received: datetime, headers: Mapping[str, str]
    ) -> tuple[InboxMessage, ...]:
        text = decode_text(body)
        if not text.strip():
            # A test of the URL may send an empty body.
            return (park_unparsed(None, "not_understood"),)
        events = list(find_events(loads(text, self._limits), self._parser_settings.paths))
        if len(events) > self._limits.events:
            raise HttpError(413, "too_many_events")
        return self._progress.extend(messages(events, self._parser_settings, header_id, received, headers))
