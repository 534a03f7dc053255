"""
Queue the records whose values differ from those that Appcues has.

A formula or a roll-up changes with other records, or with the date: the record's own time stamp stays, and no message is
sent. So all records are read through Bulk API 2.0 and compared with what was delivered last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.appcues import delivered_state
from sfcode.relay.appcues.delivered_state import DeliveredAttribute
from sfcode.relay.appcues.mapping_view import AttributeView, MappingView
from sfcode.relay.appcues.record_state import RecordState, read
from sfcode.relay.backfill.backfill import BulkRow, BulkRun, Progress, load_progress
from sfcode.relay.backfill.records import message
from sfcode.relay.message import ClaimedMessage, InboxMessage, LatestState

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox

NAME: Literal["refresh"] = "refresh"
_NEVER = DeliveredAttribute("", has_value=False)


def refresh(
    org: Org,
    inbox: Inbox,
    mapping: ResolvedMapping,
    views: Mapping[str, MappingView],
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], object],
    restart: bool = False,
) -> Progress:
    """
    Compare all records of a mapping with the delivered values, and queue those that differ.

    An interrupted refresh is resumed.
    """

    def differing(rows: Sequence[BulkRow], job: str) -> list[InboxMessage]:
        messages = [inbox_message for row in rows if (inbox_message := message(mapping, row, NAME, job))]
        states = inbox.latest(delivered_state.name(entry.key) for entry in messages)
        comparisons: dict[str, list[RecordComparison]] = {}
        for entry in messages:
            compared = RecordComparison.of(entry, views, states.get(delivered_state.name(entry.key)))
            if compared is not None:
                comparisons.setdefault(entry.key, []).append(compared)
        return [changed for group in comparisons.values() if (changed := _choose(group))]

    saved = None if restart else load_progress(inbox, mapping, NAME)
    return BulkRun(NAME, org, inbox, mapping, differing, say, sleep).go_on(None if saved and saved.done else saved)


def _choose(records: Sequence[RecordComparison]) -> InboxMessage | None:
    """
    Return the message of a profile; None if the profile has the values of its newest record.

    Several records may share a user ID and a time. Appcues has the values of the one that was sent last. If the others
    were queued, every refresh would send all of them in turn.
    """
    newest = max(record.state.stamp for record in records)
    changed = [record.keep_differences() for record in records if record.state.stamp == newest]
    return None if None in changed else changed[-1]


@dataclass(frozen=True, slots=True)
class RecordComparison:
    """A record as it is now, and what was delivered to its profile."""

    message: InboxMessage
    state: RecordState
    delivered: LatestState | None

    @classmethod
    def of(
        cls, message: InboxMessage, views: Mapping[str, MappingView], delivered: LatestState | None
    ) -> RecordComparison | None:
        """Compare the record of a message with the delivered state; None if the message cannot be delivered."""
        claimed = ClaimedMessage(
            0, message.source, message.message_id, message.key, message.kind, message.payload, 0, datetime.now(UTC)
        )
        state = read(claimed, views, message.key.partition(":")[2])
        return cls(message, state, delivered) if isinstance(state, RecordState) else None

    def keep_differences(self) -> InboxMessage | None:
        """Return the message with the fields that differ; None if none differ."""
        fields = {attribute.field for attribute in self._differing()}
        if not fields:
            return None
        field_names = fields | {"Id", "SystemModstamp", self.state.view.user_id}
        record = {name: value for name, value in self.message.payload["record"].items() if name in field_names}
        return replace(self.message, payload={**self.message.payload, "record": record})

    def _differing(self) -> Iterator[AttributeView]:
        state, view = self.state, self.state.view
        attributes, values = delivered_state.read(self.delivered), delivered_state.read_values(self.delivered)
        for attribute in view.attributes:
            name = attribute.name
            last = attributes.get((view.object_key, name), _NEVER)
            # A value that another mapping, or a newer state of the record, has written since is not replaced.
            newest = max(last.stamp, delivered_state.newest_write(attributes, name, attribute.other_objects))
            if state.stamp < newest:
                continue
            if name in state.values:
                if name not in values or values[name] != state.values[name]:
                    yield attribute
            elif name in state.empty and values.get(name) is not None:
                yield attribute
