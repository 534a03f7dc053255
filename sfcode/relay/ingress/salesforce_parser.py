"""Turn notifications of outbound messages into inbox messages, with the field names of the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfcode.config.project import Project, add_former_names
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.ingress.message_id import digest
from sfcode.relay.ingress.soap import Notification
from sfcode.relay.message import LONGEST_ID, InboxMessage


@dataclass(frozen=True, slots=True)
class Sender:
    """A mapping that receives outbound messages."""

    name: str
    object: str
    match: str
    user_id: str
    spellings: Mapping[str, str]
    """The field names of the mapping, by name in lower case, since Salesforce ignores case."""

    @classmethod
    def of(cls, mapping: ResolvedMapping) -> Sender:
        """Return the sender for a mapping."""
        names = {name.lower(): name for name in mapping.message_fields}
        return cls(mapping.name, mapping.object, mapping.match, mapping.user_id.field, names)


def senders(project: Project) -> dict[str, Sender]:
    """Return the mappings with outbound messages, by present and former names in lower case."""
    senders_by_name = {
        mapping.name.lower(): Sender.of(mapping) for mapping in project.resolved if mapping.sends and mapping.by_relay
    }
    return add_former_names(senders_by_name, project)


def message(sender: Sender, version: str | None, notification: Notification) -> InboxMessage:
    """Return the message of a notification; a message that cannot be delivered is parked, and acknowledged like others."""
    fields = notification.fields or {}
    record = {sender.spellings.get(name.lower(), name): text for name, text in fields.items()}
    payload = {
        "mapping": sender.name,
        "version": version,
        "record": record,
        "notification": notification.id,
        "origin": "message",
    }
    user_id = record.get(sender.user_id, "")
    parked = _why_not(sender, notification, user_id)
    return InboxMessage(
        source="salesforce",
        message_id=notification.id or digest(payload),
        key=f"{sender.match}:{user_id}" if user_id.strip() and parked != "not_understood" else "",
        kind=sender.name,
        payload=payload,
        parked=parked,
    )


def _why_not(sender: Sender, notification: Notification, user_id: str) -> str:
    if notification.fields is None or not notification.id:
        return "not_understood"
    if notification.type and notification.type.lower() != sender.object.lower():
        return "other_object"
    if not notification.fields.keys() - {"Id"}:
        return "no_data"
    if len(user_id) > LONGEST_ID:
        return "not_understood"
    return "" if user_id.strip() else "no_user_id"


def query_version(value: str | None) -> str | None:
    """Parse `?v=`, the version of the field list; None where it is missing or malformed."""
    return value if value and len(value) <= 64 and value.isascii() and value.isalnum() else None


def same_organization(first: str, second: Any) -> bool:
    """Compare organization IDs by their first 15 characters; the other 3 are a checksum."""
    return isinstance(second, str) and len(first) in (15, 18) and len(second) in (15, 18) and first[:15] == second[:15]
