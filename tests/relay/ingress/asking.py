"""A project with both directions, its routes, and an ASGI client that sends any bytes in any chunks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sfcode.config import Project, load
from sfcode.relay.ingress import IngressLimits, IngressSecrets, build_router
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import InboxMessage
from sfcode.secret import Secret

NOW = datetime(2026, 11, 23, 17, 23, tzinfo=UTC)
ORG = "00Dxx0000001gPFEAY"
TOKEN = "a-token-of-24-characters"
OLD_TOKEN = "the-token-before-it-0001"
SALESFORCE_TOKEN = "another-token-for-messages"
OLD_SALESFORCE_TOKEN = "another-token-before-that"
WEBHOOK = f"/webhooks/appcues/{TOKEN}"
MESSAGE = f"/outbound-messages/contact/{SALESFORCE_TOKEN}"

SETTINGS = """\
version: 1
integration_user: {{username: appcues@example.com, email: admin@example.com}}
appcues: {{account_id: "1"}}
relay: {{url: "{url}"{more}}}
"""
CONTACT = """\
object: Contact
user_id: Appcues_User_Id__c
to_appcues: {attributes: {role: Title, plan: Plan__c}}
to_salesforce: {activities: [flow_completed]}
"""
ACCOUNT = """\
object: Account
match: group
user_id: Appcues_Group_Id__c
to_appcues: {attributes: {industry: Industry}}
to_salesforce: {activities: [flow_completed]}
"""
RECEIVING = """\
object: Lead
direction: to_salesforce
user_id: Key__c
to_salesforce: {activities: [flow_completed]}
"""


def project(folder: Path, more: str = "", *, url: str = "https://relay.example.com", groups: bool = False) -> Project:
    """Load a project with the mapping `contact`, the mapping `lead` which sends nothing, and with `groups` also `account`."""
    mappings = folder / "config" / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    (folder / "config" / "sfcode.yaml").write_text(SETTINGS.format(url=url, more=f", {more}" if more else ""))
    (mappings / "contact.yaml").write_text(CONTACT)
    (mappings / "lead.yaml").write_text(RECEIVING)
    if groups:
        (mappings / "account.yaml").write_text(ACCOUNT)
    return load(folder / "config")


def secrets(webhook: str | None = TOKEN, previous: str | None = OLD_TOKEN) -> IngressSecrets:
    """Return a secret of each kind, and its predecessor."""
    values = (webhook, SALESFORCE_TOKEN, previous, OLD_SALESFORCE_TOKEN)
    return IngressSecrets(*(None if value is None else Secret(value) for value in values))


@dataclass
class Inbox:
    """Stores accepted messages, or is busy, broken or slow."""

    messages: list[InboxMessage] = field(default_factory=list)
    trouble: BaseException | None = None
    wait: asyncio.Event | None = None

    async def accept(self, messages: Sequence[InboxMessage]) -> int:
        if self.wait is not None:
            await self.wait.wait()
        if self.trouble is not None:
            raise self.trouble
        stored_ids = {message.message_id for message in self.messages}
        new = {message.message_id: message for message in reversed(messages) if message.message_id not in stored_ids}
        self.messages += reversed(new.values())
        return len(new)


class AlarmRecorder(Instrumentation):
    """An instrumentation that records the names of alarms in order."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[str] = []

    def raise_alarm(self, name: str, detail: str) -> None:
        super().raise_alarm(name, detail)
        self.raised.append(name)


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Relay:
    """The routes of a project, with settings that a test may change."""

    project: Project
    secrets: IngressSecrets = field(default_factory=secrets)
    limits: IngressLimits = field(default_factory=IngressLimits)
    organization: str | None = ORG
    now: datetime = NOW
    inbox: Inbox = field(default_factory=Inbox)
    instrumentation: AlarmRecorder = field(default_factory=AlarmRecorder)

    def __post_init__(self) -> None:
        self.app = build_router(
            self.project,
            self.inbox.accept,
            self.secrets,
            lambda: self.organization,
            self.instrumentation,
            clock=lambda: self.now,
            limits=self.limits,
        )

    def ask(self, path: str, body: bytes | str | Iterable[bytes] = b"", **more: Any) -> Answer:
        """Send one request, on a new event loop."""
        return asyncio.run(self.ask_async(path, body, **more))

    async def ask_async(
        self,
        path: str,
        body: bytes | str | Iterable[bytes] = b"",
        *,
        method: str = "POST",
        headers: Iterable[tuple[str, str]] | dict[str, str] = (),
        kind: str | None = "application/json",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        before: Callable[[], None] | None = None,
        hang_up: bool = False,
        stall: bool = False,
        sent: list[Any] | None = None,
    ) -> Answer:
        """
        Send one request; after its body, `stall` sends nothing more and `hang_up` closes the connection.

        The response is appended to `sent`, also if the application raises an error.
        """
        pieces = [body.encode()] if isinstance(body, str) else [body] if isinstance(body, bytes) else list(body)
        target, _, query = path.partition("?")
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        pairs += [("host", "127.0.0.1:8400")] if not any(name == "host" for name, _ in pairs) else []
        pairs += [("content-type", kind)] if kind is not None else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(target),
            "raw_path": quote(target, safe="/%").encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
            "client": client,
            "server": ("127.0.0.1", 8400),
        }
        sent = [] if sent is None else sent

        async def receive() -> dict[str, Any]:
            if before is not None:
                before()
            if pieces:
                chunk = pieces.pop(0)
                more = bool(pieces) or hang_up or stall
                return {"type": "http.request", "body": chunk, "more_body": more}
            if stall:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, *body_parts = sent
        response_headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], response_headers, b"".join(part["body"] for part in body_parts))


def event(name: str = "appcues:flow_completed", user_id: object = "user-1", **more: Any) -> dict[str, Any]:
    """Return an event."""
    return {"name": name, "user_id": user_id, "timestamp": "2026-11-23T17:20:00.000Z", "attributes": {}} | more
