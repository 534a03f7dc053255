"""Parse the body of a webhook into messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sfcode.config.project import Project
from sfcode.config.webhook_models import WebhookPaths
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.relay.appcues_payload import PLACES, Enclosed, attribute, event_name, merge_attributes, value_at
from sfcode.relay.ingress.message_id import canonical, content_id, digest, format_id, normalize_id
from sfcode.relay.ingress.timestamps import event_time, format_time, parse_time
from sfcode.relay.message import LONGEST_ID, LONGEST_NAME, InboxMessage

Object = Mapping[str, Any]

LARGEST_ENVELOPE = 1_000_000
"""The maximum total size of the stored envelopes in characters; above it, only the first message stores its envelope."""

_INHERITED = (
    "user_id",
    "userId",
    "group_id",
    "groupId",
    "account_id",
    "session_id",
    "timestamp",
    "identity",
    "context",
)
"""Keys that an event takes from its envelope if it does not have them."""
NAMES: tuple[str, ...] = WebhookPaths().name


@dataclass(frozen=True, slots=True)
class ParserSettings:
    """The settings of a project that decide how webhooks are parsed."""

    groups: bool
    """Whether a mapping writes group events to records."""
    paths: WebhookPaths = field(default_factory=WebhookPaths)

    @classmethod
    def of(cls, project: Project) -> ParserSettings:
        """Return the settings of a project."""
        relay_mappings = [mapping for mapping in project.resolved if mapping.by_relay and mapping.receives]
        message_id = project.settings.relay.message_id
        paths = project.settings.appcues.webhook
        if message_id and message_id.path:
            paths = paths.model_copy(update={"id": (message_id.path,)})
        return cls(any(mapping.match == "group" for mapping in relay_mappings), paths)

    def with_paths(self, paths: Mapping[str, tuple[str, ...]]) -> ParserSettings:
        """Return these settings with some paths replaced."""
        return replace(self, paths=self.paths.model_copy(update=dict(paths)))


def messages(
    events: Sequence[Enclosed],
    parser_settings: ParserSettings,
    header_id: str,
    received: datetime,
    headers: Mapping[str, str] | None = None,
) -> tuple[InboxMessage, ...]:
    """
    Return a message for each event. If an event cannot be parsed, only its own message is parked.

    `headers` are stored with each message.
    """
    size = sum(len(canonical(list(enclosing))) for _, enclosing in events if enclosing)
    inbox_messages = []
    for index, (event, enclosing) in enumerate(events):
        suffix = f"#{index}" if len(events) > 1 else ""
        stored: dict[str, Any] = {"headers": dict(headers)} if headers else {}
        if enclosing and (size <= LARGEST_ENVELOPE or index == 0):
            stored["envelope"] = list(enclosing)
        inbox_messages.append(
            _EventParser(event, enclosing, parser_settings).message(header_id, suffix, received, stored)
            if isinstance(event, dict)
            else park_unparsed(event, "not_understood", stored=stored)
        )
    return tuple(inbox_messages)


def park_unparsed(event: object, reason: str, kind: str = "", *, stored: Object | None = None) -> InboxMessage:
    """Return the parked message for authentic data that cannot be parsed, with everything that was received."""
    return InboxMessage("appcues", digest(canonical(event)), "", kind, {"received": event, **(stored or {})}, reason)


class _EventParser:
    """Reads an event and its enclosing objects by the paths of a project."""

    def __init__(self, event: Object, enclosing: tuple[Object, ...], parser_settings: ParserSettings) -> None:
        inherited = {key: outer[key] for outer in enclosing for key in _INHERITED if key in outer}
        self._received = event
        self._event: Object = {**inherited, **event}
        self._outer = tuple(reversed(enclosing))
        self._parser_settings = parser_settings
        self._paths = parser_settings.paths
        if self._paths.attributes != PLACES:
            attributes = merge_attributes((self._event, *self._outer), self._paths.attributes)
            self._event = {**self._event, "attributes": attributes}

    def message(self, header_id: str, suffix: str, received: datetime, stored: Object) -> InboxMessage:
        """Return the message of the event. It is parked if the name or the user is missing or too long."""
        name = self._name()
        if not name or len(name) > LONGEST_NAME:
            return park_unparsed(self._received, "not_understood" if name else "no_name", stored=stored)
        user_id, group_id = (
            format_user_id(self._value(self._paths.user_id)),
            format_user_id(self._value(self._paths.group_id)),
        )
        if not user_id or max(len(user_id), len(group_id)) > LONGEST_ID:
            reason = "not_understood" if user_id else "no_user_id"
            return park_unparsed(self._received, reason, name, stored=stored)
        timestamp = self._value(self._paths.timestamp)
        time = parse_time(timestamp)
        sender_id = self._own_id(suffix) if self._paths.id else f"{header_id}{suffix}" if header_id else ""
        own_attributes = self._paths.attributes != PLACES
        return InboxMessage(
            source="appcues",
            message_id=normalize_id(sender_id)
            if sender_id
            else content_id(self._event, name, user_id, time.isoformat() if time else timestamp),
            key=f"group:{group_id}" if group_id and self._parser_settings.groups else f"user:{user_id}",
            kind=name,
            payload={
                "event": self._event,
                "user_id": user_id,
                "group_id": group_id or None,
                "timestamp": format_time(event_time(timestamp, received)),
                **({"received": self._received} if own_attributes else {}),
                **stored,
            },
        )

    def _name(self) -> str:
        # The usual keys of an envelope may describe the envelope itself, such as the name of a batch.
        scopes = (self._received,) if self._paths.name == NAMES else (self._received, *self._outer)
        return next((name for scope in scopes if (name := event_name(scope, self._paths.name))), "")

    def _value(self, paths: Sequence[str]) -> Any:
        """Return the first value in the event, in its enclosing objects, or among its attributes."""
        for scope in (self._event, *self._outer):
            for path in paths:
                if (value := value_at(scope, path)) is not None:
                    return value
        plain = (path for path in paths if "." not in path)
        return next((value for path in plain if (value := attribute(self._event, path)) is not None), None)

    def _own_id(self, suffix: str) -> str:
        """Return the event's ID, or the ID of the enclosing body with the number of the event; "" if there is none."""
        for scope, ending in ((self._received, ""), *((outer, suffix) for outer in self._outer)):
            for path in self._paths.id or ():
                if own := format_id(value_at(scope, path)):
                    return f"{own}{ending}"
        return ""


def format_user_id(value: object) -> str:
    """Format the ID of a user or a group as text: `1001` for the numbers 1001 and 1001.0; "" for none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, str):
        return value if value.strip() else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
