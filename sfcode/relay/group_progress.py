"""Set attributes of a group in Appcues on events of its users (the recipe `group_progress`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sfcode.config.event_models import Events
from sfcode.config.project import Project
from sfcode.config.recipe_models import ProgressRule
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.value_map import AttributeValue
from sfcode.relay.appcues.mapping_view import PROGRESS, progress_field
from sfcode.relay.message import ClaimedMessage, InboxMessage, Parked
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """
    Creates a message to Appcues for each event that sets attributes of a group.

    The message is stored together with the event and has the event's ID, so that a repeated event creates it once. Its
    state has the event's time, so that a late event does not overwrite newer attributes.
    """

    rules: tuple[ProgressRule, ...]
    events: Events

    @classmethod
    def of(cls, project: Project) -> GroupProgress:
        """Return the rules of a project's recipes."""
        return cls(project.recipes.group_progress, project.events)

    def extend(self, messages: Iterable[InboxMessage]) -> tuple[InboxMessage, ...]:
        """Return messages of events, each followed by the message that it creates."""
        events = tuple(messages)
        return (*events, *self._derive(events)) if self.rules else events

    def _derive(self, messages: Iterable[InboxMessage]) -> Iterator[InboxMessage]:
        for message in messages:
            if message.parked or message.source != "appcues" or not message.payload.get("group_id"):
                continue
            claimed = ClaimedMessage(
                0, message.source, message.message_id, message.key, message.kind, message.payload, 0, datetime.now(UTC)
            )
            event = read_event(claimed, self.events)
            if isinstance(event, Parked) or event.problem:
                continue
            if values := self._values(event):
                yield _message(event, values)

    def _values(self, event: AppcuesEvent) -> dict[str, AttributeValue]:
        """Return the attributes that an event sets."""
        values: dict[str, AttributeValue] = {}
        for rule in self.rules:
            items = {name for names in rule.when.items().values() for name in names}
            if rule.when.event in event.activities and (not items or not items.isdisjoint(event.item)):
                values |= rule.set_
        return values


def _message(event: AppcuesEvent, values: dict[str, AttributeValue]) -> InboxMessage:
    group = event.group_id
    fields = {progress_field(name): value for name, value in values.items()}
    return InboxMessage(
        source="salesforce",
        message_id=f"progress:{event.message_id}",
        key=f"group:{group}",
        kind=PROGRESS,
        payload={
            "mapping": PROGRESS,
            "record": {"Id": group, "SystemModstamp": event.stamp, **fields},
            "origin": event.message.kind,
        },
    )
