"""The writes of one round, merged by record, and what becomes of each message that waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sfcode.relay.message import ClaimedMessage, Delivered, LatestState, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.actions.action import ActionError, EventAction, FieldName, PlanContext, Record, RecordWrite
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent
from sfcode.relay.salesforce.lookup import LookupMatch

Matches = Mapping[tuple[str, str], LookupMatch]
"""Records by mapping and user or group id."""


@dataclass(frozen=True, slots=True)
class EventTarget:
    """A mapping that an event concerns, and the actions that handle it."""

    destination: Destination
    id: str
    """Of the user, or of the group."""
    actions: tuple[EventAction, ...]


@dataclass(frozen=True, slots=True)
class WriteGroup:
    """Writes that may share a call. An update may hold several objects, an upsert has one, by one external id."""

    verb: Literal["update", "upsert"]
    object: str = ""
    key: str = ""


@dataclass
class MergedWrite:
    """One record of a call, and the messages that wait for it."""

    object: str
    key: str
    id: str
    record: Record
    messages: dict[int, set[str]] = field(default_factory=dict)
    """Their ids, with the mappings that each of them writes the record for."""
    newest: dict[str, LatestState] = field(default_factory=dict)
    """By field, the state to remember once the record is written."""
    notes: list[LatestState] = field(default_factory=list)
    """Further states to remember then."""

    @property
    def values(self) -> set[str]:
        """Return the texts of the record, which no error message may repeat."""
        return {value for value in self.record.values() if isinstance(value, str)}

    def merge(self, write: RecordWrite) -> None:
        """Take over the fields of a write, unless a newer value is there."""
        self.notes.extend(write.notes)
        for name, value in write.fields.items():
            newest, known = write.newest.get(name), self.newest.get(name)
            if newest is not None and known is not None and known.stamp > newest.stamp:
                continue
            self.record[name] = value
            if newest is not None:
                self.newest[name] = newest


@dataclass
class WriteRound:
    """The writes of one message of each key, and the ends of those messages so far."""

    ends: dict[int, list[Settlement]]
    groups: dict[WriteGroup, dict[tuple[str, str], MergedWrite]] = field(default_factory=dict)
    refused: dict[int, dict[str, Retry]] = field(default_factory=dict)
    """By message, the mappings that the org refuses, with the wait of each."""

    def add(self, message: int, write: RecordWrite) -> None:
        """Add a write, merged with others of the same record."""
        group = WriteGroup("update") if write.verb == "update" else WriteGroup("upsert", write.object, write.key)
        record = {"attributes": {"type": write.object}, write.key: write.id}
        merged = self.groups.setdefault(group, {}).setdefault(
            (write.object, write.id), MergedWrite(write.object, write.key, write.id, record)
        )
        merged.merge(write)
        merged.messages.setdefault(message, set()).add(write.mapping)

    def writes(self) -> list[tuple[WriteGroup, list[MergedWrite]]]:
        """Return the writes by group, updates first; those of one object next to each other, as Salesforce wants them."""
        groups = sorted(self.groups.items(), key=lambda item: item[0].verb)
        return [(group, sorted(writes.values(), key=lambda write: write.object)) for group, writes in groups]

    def end(self, message: int) -> Settlement:
        """Return a message's settlement: retry comes before park, and park before done."""
        ends = self.ends[message]
        for kind in (Retry, Released, Parked):
            for end in ends:
                if isinstance(end, kind):
                    return end
        return ends[0] if ends else Delivered()

    def is_retried(self, message: int) -> bool:
        """Tell whether a message will be delivered again whatever else is written for it."""
        return isinstance(self.end(message), Retry | Released)


def rounds(messages: Iterable[ClaimedMessage]) -> list[list[ClaimedMessage]]:
    """Split a claim so that no two messages of a key share a round: the first of each, then the second, ..."""
    split: list[list[ClaimedMessage]] = []
    counts: dict[str, int] = {}
    for message in messages:
        number = counts.get(message.key, 0)
        counts[message.key] = number + 1
        if number == len(split):
            split.append([])
        split[number].append(message)
    return split


@dataclass(frozen=True)
class Planner:
    """Plans what events ask for. It asks Salesforce nothing."""

    matches: Matches
    latest: Mapping[str, LatestState]
    lengths: Mapping[FieldName, int]
    planned: dict[str, set[str]] = field(default_factory=dict)
    """By record, the fields that were planned to be written."""

    def plan(
        self,
        event: AppcuesEvent,
        targets: Sequence[EventTarget],
        round_: WriteRound,
        refused: Sequence[EventTarget] = (),
    ) -> None:
        """Add the writes of one event to a round; `refused` are targets of which nothing can be known at present."""
        ends, message = round_.ends[event.message.id], event.message.id
        matched = [(target, self.match(target)) for target in targets]
        ambiguous = [target.destination.name for target, match in matched if len(match.records) > 1]
        found = [(target, match.records[0]) for target, match in matched if len(match.records) == 1]
        if ambiguous:
            ends.append(Parked("several_matches", f"in {', '.join(ambiguous)}"))
        elif not found and not refused:
            ends.append(_settle_unmatched(matched))
        planned = 0
        try:
            for target, record_id in found:
                row = self.match(target).rows.get(record_id, {})
                before = frozenset(self.planned.get(record_id, ()))
                context = PlanContext(record_id, self.latest, self.lengths, row, before)
                for action in target.actions:
                    for write in action.plan(event, context):
                        round_.add(message, write)
                        self.planned.setdefault(write.id, set()).update(write.fields)
                        planned += 1
        except ActionError as error:
            ends.append(Parked(error.reason, error.detail))
            return
        if found and not planned:
            ends.append(Delivered("stale"))
        elif passed_over := [target.destination.name for target, match in matched if match.passed_over]:
            ends.append(Delivered(f"the newest of several records in {', '.join(passed_over)}"))

    def match(self, target: EventTarget) -> LookupMatch:
        """Return the records of a target."""
        return self.matches.get((target.destination.name, target.id), LookupMatch())


def _settle_unmatched(matched: Sequence[tuple[EventTarget, LookupMatch]]) -> Parked | Delivered:
    if not matched:
        return Delivered("not_mapped")
    if any(match.converted for _, match in matched):
        return Parked("converted_lead", "only converted leads have this id")
    names = ", ".join(target.destination.name for target, _ in matched)
    return Parked("unknown_user", f"nobody in {names} has this id")
