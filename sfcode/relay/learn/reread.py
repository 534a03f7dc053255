"""Parse stored messages again with other paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sfcode.config.event_models import Events
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.events import HANDLED_EVENTS, PREFIX
from sfcode.relay.inbox.types import InboxEntry
from sfcode.relay.ingress.appcues_parser import ParserSettings, messages
from sfcode.relay.learn.capture import stored_capture
from sfcode.relay.learn.paths import KNOWN_ATTRIBUTES, plain
from sfcode.relay.message import InboxMessage


@dataclass(frozen=True, slots=True)
class RereadMessage:
    """A stored message, and the messages that are parsed from it."""

    entry: InboxEntry
    messages: tuple[InboxMessage, ...]


def reread(entries: Iterable[InboxEntry], parser_settings: ParserSettings) -> Iterator[RereadMessage]:
    """Yield the parked messages of Appcues that are parsed differently with these settings."""
    for entry in entries:
        # A follow-up message has the relay's own format, and does not depend on the paths.
        if entry.source != "appcues" or "mapping" in entry.payload or "message_id" in entry.payload:
            continue
        capture = stored_capture(entry.payload)
        if capture is None:
            continue
        events = capture.events(parser_settings.paths)
        headers: Mapping[str, str] = entry.payload.get("headers", {})
        new_messages = messages(events, parser_settings, "", entry.received_at, headers)
        if any(not message.parked for message in new_messages) and not _is_same(entry, new_messages):
            yield RereadMessage(entry, new_messages)


def _is_same(entry: InboxEntry, new_messages: tuple[InboxMessage, ...]) -> bool:
    if len(new_messages) != 1:
        return False
    keys = ("event", "user_id", "group_id", "timestamp")
    same = all(entry.payload.get(key) == new_messages[0].payload.get(key) for key in keys)
    return same and (entry.kind, entry.key) == (new_messages[0].kind, new_messages[0].key)


def propose_aliases(inbox_messages: Iterable[InboxMessage], events: Events) -> dict[str, tuple[str, dict[str, str]]]:
    """
    Return aliases for events with unknown names, each with the event and the names of its attributes.

    An event is recognized by the letters of its name, as `Flow Completed`, `flow-completed` or, without `appcues:`,
    `flow_completed`.
    """
    handled = {plain(name): name for name in HANDLED_EVENTS}
    aliases: dict[str, tuple[str, dict[str, str]]] = {}
    for message in inbox_messages:
        name = message.kind.removeprefix(PREFIX)
        event_name = handled.get(plain(name).removeprefix("appcues"))
        if message.parked or event_name is None or name in events.aliases or message.kind == f"{PREFIX}{event_name}":
            continue
        attributes = message.payload["event"].get("attributes")
        event_attributes = attributes if isinstance(attributes, Mapping) else message.payload["event"]
        names = {
            known_attribute: key
            for key in event_attributes
            for known_attribute in sorted(KNOWN_ATTRIBUTES)
            if plain(key) == plain(known_attribute)
            and key not in KNOWN_ATTRIBUTES
            and not known_attribute.startswith("_")
        }
        aliases.setdefault(name, (event_name, names))
    return aliases
