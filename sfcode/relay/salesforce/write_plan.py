"""Plan the writes of events in rounds, merge them by record, and settle the messages that wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.relay.message import ClaimedMessage, Delivered, LatestState, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.actions.action import ActionError, EventAction, FieldName, PlanContext, Record, RecordWrite
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, records_name, score_name
from sfcode.relay.salesforce.lookup import LookupMatch, Row
from sfcode.relay.state_names import read_kind

STALE = "stale"
"""The note of messages whose values are all older than the delivered ones."""

Matches = Mapping[tuple[str, str], LookupMatch]
"""Records by mapping and user or group ID."""


@dataclass(frozen=True, slots=True)
class EventTarget:
    """A mapping that an event concerns, and the actions that handle it."""

    destination: Destination
    id: str
    """The ID of the user or of the group."""
    actions: tuple[EventAction, ...]


@dataclass(frozen=True, slots=True)
class WriteGroup:
    """Writes that can share a call. An update or a create may contain several objects, an upsert one object and external ID."""

    verb: Literal["update", "create", "upsert"]
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
    """IDs of the messages, each with the mappings for which it writes the record."""
    newest: dict[str, LatestState] = field(default_factory=dict)
    """The states to store once the record is written, by field."""
    notes: list[LatestState] = field(default_factory=list)
    """Further states to store once the record is written."""

    @property
    def values(self) -> set[str]:
        """The texts of the record, which no error message may contain."""
        return {value for value in self.record.values() if isinstance(value, str)}

    def states(self, *, redact: bool = False) -> list[LatestState]:
        """
        Return the states to store once the record is written. `redact` removes the texts of mapped fields.

        The fields of a created record have no states, since it has no ID yet by which they could be written again.
        """
        newest = (
            replace(state, value="")
            if redact and isinstance(self.record[name], str) and read_kind(state.name) == "field"
            else state
            for name, state in (self.newest.items() if self.key else ())
        )
        return [*self.notes, *newest]

    def merge(self, write: RecordWrite) -> bool:
        """Add the fields of a write, except those with a newer value; return whether any was added."""
        is_merged = not write.fields
        self.notes.extend(write.notes)
        for name, value in write.fields.items():
            newest, current_state = write.newest.get(name), self.newest.get(name)
            if newest is not None and current_state is not None and current_state.stamp > newest.stamp:
                continue
            is_merged = True
            self.record[name] = value
            if newest is not None:
                self.newest[name] = newest
        return is_merged


@dataclass
class WriteRound:
    """
    Writes that are sent together, and the settlements of their messages so far.

    Messages of one key share a round, and their writes of one record are merged. A `single` round has one message of
    each key, so that a refused record can be attributed to that message.
    """

    messages: Mapping[int, ClaimedMessage]
    """The messages of the round, in order of arrival."""
    ends: dict[int, list[Settlement]]
    groups: dict[WriteGroup, dict[tuple[str, str], MergedWrite]] = field(default_factory=dict)
    refused: dict[int, dict[str, Retry]] = field(default_factory=dict)
    """The mappings that the org refuses, by message, each with the settlement of its messages."""
    single: bool = False
    used: set[int] = field(default_factory=set)
    """Messages with writes that are sent."""
    overtaken: set[int] = field(default_factory=set)
    """Messages with writes that newer writes of the round have replaced."""
    apart: set[int] = field(default_factory=set)
    """Messages to send again in single rounds, since a record that several of them write was refused."""
    refused_records: set[str] = field(default_factory=set)
    """IDs of the records that were refused and that several messages write."""

    def add(self, message: int, write: RecordWrite) -> None:
        """Add a write, and merge it with others of the same record."""
        group = WriteGroup("upsert", write.object, write.key) if write.verb == "upsert" else WriteGroup(write.verb)
        record = {"attributes": {"type": write.object}, **({write.key: write.id} if write.key else {})}
        merged = self.groups.setdefault(group, {}).setdefault(
            (write.object, write.id), MergedWrite(write.object, write.key, write.id, record)
        )
        (self.used if merged.merge(write) else self.overtaken).add(message)
        merged.messages.setdefault(message, set()).add(write.mapping)

    def writes(self) -> list[tuple[WriteGroup, list[MergedWrite]]]:
        """Return the writes by group, updates first. Writes of one object are adjacent, as Salesforce requires."""
        groups = sorted(self.groups.items(), key=lambda item: ("update", "create", "upsert").index(item[0].verb))
        return [(group, sorted(writes.values(), key=lambda write: write.object)) for group, writes in groups]

    def end(self, message: int) -> Settlement:
        """Return the settlement of a message: a retry if any of its writes needs it, else parked, else delivered."""
        ends = self.ends[message]
        for kind in (Retry, Released, Parked):
            for end in ends:
                if isinstance(end, kind):
                    return end
        return ends[0] if ends else Delivered(STALE if message in self.overtaken - self.used else "")

    def list_waiting(self) -> set[int]:
        """Return the messages that are certain to be delivered again, and the later ones of their keys."""
        waiting_ids: set[int] = set()
        keys: set[str] = set()
        for id_, message in self.messages.items():
            if message.key in keys or id_ in self.apart or isinstance(self.end(id_), Retry | Released):
                waiting_ids.add(id_)
                keys.add(message.key)
        return waiting_ids

    def list_single_messages(self) -> set[int]:
        """
        Return the messages to send again in single rounds, and the later ones of their keys.

        These are messages that share a refused record, and messages that are older than a refused one of their key.
        """
        if self.single:
            return set()
        refused = {
            message.key
            for id_, message in self.messages.items()
            if id_ in self.apart or isinstance(self.end(id_), Parked)
        }
        single_ids: set[int] = set()
        keys: set[str] = set()
        for id_, message in self.messages.items():
            if id_ in self.apart or (message.key in refused and self.end(id_) == Delivered(STALE)):
                keys.add(message.key)
            if message.key in keys:
                single_ids.add(id_)
        return single_ids

    def shares(self, write: MergedWrite) -> bool:
        """Return whether several messages of a key have written a record together."""
        keys = [self.messages[message].key for message in write.messages]
        return len(set(keys)) < len(keys)


def rounds(messages: Iterable[ClaimedMessage]) -> list[list[ClaimedMessage]]:
    """Split a claim so that no two messages of a key share a round: the first of each key, then the second, ..."""
    result: list[list[ClaimedMessage]] = []
    counts: dict[str, int] = {}
    for message in messages:
        number = counts.get(message.key, 0)
        counts[message.key] = number + 1
        if number == len(result):
            result.append([])
        result[number].append(message)
    return result


@dataclass(frozen=True)
class Planner:
    """Plans the writes of events, without calls to Salesforce."""

    matches: Matches
    latest: Mapping[str, LatestState]
    lengths: Mapping[FieldName, int]
    related: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)
    """The rows of the actions' queries, by mapping and record ID."""
    planned: dict[str, set[str]] = field(default_factory=dict)
    """The fields with planned writes, by record."""

    def plan(
        self,
        event: AppcuesEvent,
        targets: Sequence[EventTarget],
        round_: WriteRound,
        refused: Sequence[EventTarget] = (),
    ) -> list[LatestState]:
        """
        Add the writes of one event to a round, and return the states of their `notes`.

        `refused` are targets whose records could not be read.
        """
        ends, message = round_.ends[event.message.id], event.message.id
        matched = [(target, self.match(target)) for target in targets]
        ambiguous = dict.fromkeys(target.destination.mapping for target, match in matched if len(match.records) > 1)
        matched_records = [(target, match.records[0]) for target, match in matched if len(match.records) == 1]
        if ambiguous:
            ends.append(Parked("several_matches", f"in {', '.join(ambiguous)}"))
        elif not matched_records and not refused:
            ends.append(_settle_unmatched(matched))
        writes: list[RecordWrite] = []
        try:
            for target, record_id in matched_records:
                row = self.match(target).rows.get(record_id, {})
                before = frozenset(self.planned.get(record_id, ()))
                context = PlanContext(
                    record_id, self.latest, self.lengths, row, before, self.related_rows(target, record_id)
                )
                for action in target.actions:
                    for write in action.plan(event, context):
                        round_.add(message, write)
                        self.planned.setdefault(write.id, set()).update(write.fields)
                        writes.append(write)
        except ActionError as error:
            ends.append(Parked(error.reason, error.detail))
        else:
            if matched_records and not writes:
                ends.append(Delivered(STALE))
            elif passed_over := [target.destination.name for target, match in matched if match.passed_over]:
                ends.append(Delivered(f"the newest of several records in {', '.join(passed_over)}"))
        return [note for write in writes for note in write.notes]

    def state_names(self, events: Mapping[int, AppcuesEvent], targets: Mapping[int, Sequence[EventTarget]]) -> set[str]:
        """Return the names of the states that the writes of events are compared with."""
        names: set[str] = set()
        for number, event in events.items():
            if event.score is not None:
                names.add(score_name(event.user_id))
            names.add(records_name(event.user_id))
            for target in targets[number]:
                for record_id in self.match(target).records:
                    for action in target.actions:
                        names.update(action.state_names(event, record_id, self.related_rows(target, record_id)))
        return names

    def written_states(
        self, events: Mapping[int, AppcuesEvent], targets: Mapping[int, Sequence[EventTarget]]
    ) -> set[str]:
        """Return the names of the states that events may write."""
        return {
            name
            for number, event in events.items()
            for target in targets[number]
            for record_id in self.match(target).records
            for action in target.actions
            for name in action.written_states(event, record_id, self.related_rows(target, record_id))
        }

    def related_rows(self, target: EventTarget, record_id: str) -> Sequence[Row]:
        """Return the rows that are related to a record of a target."""
        return self.related.get((target.destination.name, record_id), ())

    def match(self, target: EventTarget) -> LookupMatch:
        """Return the records of a target."""
        return self.matches.get((target.destination.name, target.id), LookupMatch())


def _settle_unmatched(matched: Sequence[tuple[EventTarget, LookupMatch]]) -> Parked | Delivered:
    if not matched:
        return Delivered("not_mapped")
    if any(match.converted for _, match in matched):
        return Parked("converted_lead", "only converted leads have this ID")
    names = ", ".join(dict.fromkeys(target.destination.mapping for target, _ in matched))
    return Parked("unknown_user", f"nobody in {names} has this ID")
