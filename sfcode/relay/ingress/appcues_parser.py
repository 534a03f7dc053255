"""Parse the body of a webhook into messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sfcode.config.project import Project
from sfcode.relay.appcues_payload import attribute
from sfcode.relay.ingress.message_id import canonical, content_id, digest, normalize_id, value_at
from sfcode.relay.ingress.timestamps import event_time, format_time, parse_time
from sfcode.relay.message import InboxMessage

Object = Mapping[str, Any]

LONGEST_NAME = 255
LONGEST_ID = 255
_ENVELOPES = ("data", "event", "payload")
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
"""What an envelope says for each of its events that does not say it itself."""
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings of a project that parsing depends on."""

    groups: bool
    """Whether a mapping writes what happens in a group to the group's record."""
    id_path: tuple[str, ...]
    raw_chars: int

    @classmethod
    def of(cls, project: Project, raw_chars: int) -> Reading:
        """Derive it."""
        carried = [one for one in project.resolved if one.by_relay and one.receives]
        message_id = project.settings.relay.message_id
        path = message_id.path if message_id else None
        groups = any(one.match == "group" for one in carried)
        return cls(groups, tuple(path.split(".")) if path else (), raw_chars)


def events_in(body: object, depth: int = 0) -> Iterator[object]:
    """
    Yield the events of a body: one, several, or those in an envelope.

    What cannot be taken apart is given as it is.
    """
    if isinstance(body, list) and depth < _DEEPEST:
        for item in body:
            yield from events_in(item, depth + 1) if isinstance(item, dict) else (item,)
        return
    inner = _inside(body) if isinstance(body, dict) and depth < _DEEPEST else None
    if inner is None or not isinstance(body, dict):
        yield body
        return
    passed_on = {key: body[key] for key in _INHERITED if key in body}
    for event in events_in(inner, depth + 1):
        yield {**passed_on, **event} if isinstance(event, dict) else event


def messages(events: list[object], reading: Reading, header_id: str, received: datetime) -> tuple[InboxMessage, ...]:
    """Return a message for each event; one that is not understood is parked alone."""
    several = len(events) > 1
    return tuple(
        _message(event, reading, f"{header_id}#{index}" if header_id and several else header_id, received)
        for index, event in enumerate(events)
    )


def not_understood(raw: str, reason: str, reading: Reading, kind: str = "") -> InboxMessage:
    """Return the parked message for authentic data that cannot be delivered."""
    return InboxMessage("appcues", digest(raw), "", kind, {"raw": raw[: reading.raw_chars]}, reason)


def _message(event: object, reading: Reading, header_id: str, received: datetime) -> InboxMessage:
    if not isinstance(event, dict):
        return not_understood(canonical(event), "not_understood", reading)
    name = event_name(event)
    if not name or len(name) > LONGEST_NAME:
        return not_understood(canonical(event), "no_name" if not name else "not_understood", reading)
    user_id = _id(_first(event, "user_id", "userId"))
    group_id = _id(_first(event, "group_id", "groupId"))
    if not user_id or max(len(user_id), len(group_id)) > LONGEST_ID:
        return not_understood(canonical(event), "no_user_id" if not user_id else "not_understood", reading, name)
    stated = attribute(event, "timestamp") if event.get("timestamp") is None else event["timestamp"]
    time = parse_time(stated)
    given = value_at(event, reading.id_path) if reading.id_path else header_id
    return InboxMessage(
        source="appcues",
        message_id=normalize_id(given)
        if given
        else content_id(event, name, user_id, time.isoformat() if time else stated),
        key=f"group:{group_id}" if group_id and reading.groups else f"user:{user_id}",
        kind=name,
        payload={
            "event": event,
            "user_id": user_id,
            "group_id": group_id or None,
            "timestamp": format_time(event_time(stated, received)),
        },
    )


def event_name(event: Object) -> str:
    """Return the name of an event; "" where it has none."""
    name = event.get("name")
    name = event.get("event") if name is None else name
    return name if isinstance(name, str) and name.strip() else ""


def _inside(body: Object) -> object:
    """Return the content of an envelope; None where there is none."""
    if isinstance(body.get("events"), list):
        return body["events"]
    if event_name(body):
        return None
    return next((body[key] for key in _ENVELOPES if isinstance(body.get(key), dict | list)), None)


def _first(event: Object, *names: str) -> object:
    """Return the value of the first name that the event or its attributes have."""
    for name in names:
        if event.get(name) is not None:
            return event[name]
    return next((value for name in names if (value := attribute(event, name)) is not None), None)


def _id(value: object) -> str:
    """Format an id as text: `1001` for the numbers 1001 and 1001.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, str):
        return value if value.strip() else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
