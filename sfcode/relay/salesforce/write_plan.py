"""The writes of one round, merged by record, and what becomes of each message that waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.relay.message import ClaimedMessage, Delivered, LatestState, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.actions.action import ActionError, EventAction, FieldName, PlanContext, Record, RecordWrite
from sfcode.relay.salesforce.actions.nps_fields import PREFIX
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, records_name, score_name
from sfcode.relay.salesforce.lookup import LookupMatch, Row

STALE = "stale"
"""The note of messages whose values were all older than the delivered ones."""

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
    """Writes that may share a call. An update or a create may hold several objects, an upsert has one, by one external id."""

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
    """Their ids, with the mappings that each of them writes the record for."""
    newest: dict[str, LatestState] = field(default_factory=dict)
    """By field, the state to remember once the record is written."""
    notes: list[LatestState] = field(default_factory=list)
    """Further states to remember then."""

    @property
    def values(self) -> set[str]:
        """Return the texts of the record, which no error message may repeat."""
        return {value for value in self.record.values() if isinstance(value, str)}

    def states(self, *, redact: bool = False) -> list[LatestState]:
        """
        Return the states to remember once the record is written, with `redact` without the texts of mapped fields.

        The fields of a created record have none: it has no id yet by which they could be written again.
        """
        newest = (
            replace(state, value="")
            if redact and isinstance(self.record[name], str) and state.name.startswith(PREFIX)
            else state
            for name, state in (self.newest.items() if self.key else ())
        )
        return [*self.notes, *newest]

    def merge(self, write: RecordWrite) -> bool:
        """Take over the fields of a write, unless a newer value is there; tell whether any was taken."""
        is_taken = not write.fields
        self.notes.extend(write.notes)
        for name, value in write.fields.items():
            newest, current_state = write.newest.get(name), self.newest.get(name)
            if newest is not None and current_state is not None and current_state.stamp > newest.stamp:
                continue
            is_taken = True
            self.record[name] = value
            if newest is not None:
                self.newest[name] = newest
        return is_taken


@dataclass
class WriteRound:
    """
    Writes that are sent together, and the ends of their messages so far.

    Messages of one key share a round, and their writes of one record are one. In a `single` round there is one message of
    each key, so that a record that is refused is the fault of that message alone.
    """

    messages: Mapping[int, ClaimedMessage]
    """In their order."""
    ends: dict[int, list[Settlement]]
    groups: dict[WriteGroup, dict[tuple[str, str], MergedWrite]] = field(default_factory=dict)
    refused: dict[int, dict[str, Retry]] = field(default_factory=dict)
    """By message, the mappings that the org refuses, with the wait of each."""
    single: bool = False
    used: set[int] = field(default_factory=set)
    """Messages of which something is sent."""
    overtaken: set[int] = field(default_factory=set)
    """Messages with writes that newer ones of the round have overtaken."""
    apart: set[int] = field(default_factory=set)
    """Messages to be sent again in single rounds: a record that several of them write together was refused."""
    refused_records: set[str] = field(default_factory=set)
    """Ids of those records."""

    def add(self, message: int, write: RecordWrite) -> None:
        """Add a write, merged with others of the same record."""
        group = WriteGroup("upsert", write.object, write.key) if write.verb == "upsert" else WriteGroup(write.verb)
        record = {"attributes": {"type": write.object}, **({write.key: write.id} if write.key else {})}
        merged = self.groups.setdefault(group, {}).setdefault(
            (write.object, write.id), MergedWrite(write.object, write.key, write.id, record)
        )
        (self.used if merged.merge(write) else self.overtaken).add(message)
        merged.messages.setdefault(message, set()).add(write.mapping)

    def writes(self) -> list[tuple[WriteGroup, list[MergedWrite]]]:
        """Return the writes by group, updates first; those of one object next to each other, as Salesforce wants them."""
        groups = sorted(self.groups.items(), key=lambda item: ("update", "create", "upsert").index(item[0].verb))
        return [(group, sorted(writes.values(), key=lambda write: write.object)) for group, writes in groups]

    def end(self, message: int) -> Settlement:
        """Return a message's settlement: retry comes before park, and park before done."""
        ends = self.ends[message]
        for kind in (Retry, Released, Parked):
            for end in ends:
                if isinstance(end, kind):
                    return end
        return ends[0] if ends else Delivered(STALE if message in self.overtaken - self.used else "")

    def held(self) -> set[int]:
        """Return the messages that will be delivered again whatever else is written, with those of their keys behind them."""
        waiting_ids: set[int] = set()
        keys: set[str] = set()
        for id_, message in self.messages.items():
            if message.key in keys or id_ in self.apart or isinstance(self.end(id_), Retry | Released):
                waiting_ids.add(id_)
                keys.add(message.key)
        return waiting_ids

    def alone(self) -> set[int]:
        """
        Return the messages that a single round has to send again, and those of their keys behind them.

        Those are messages that share a refused record, and those that are older than one of their key which was refused.
        """
        if self.single:
            return set()
        refused = {
            message.key
            for id_, message in self.messages.items()
            if id_ in self.apart or isinstance(self.end(id_), Parked)
        }
        alone: set[int] = set()
        keys: set[str] = set()
        for id_, message in self.messages.items():
            if id_ in self.apart or (message.key in refused and self.end(id_) == Delivered(STALE)):
                keys.add(message.key)
            if message.key in keys:
                alone.add(id_)
        return alone

    def shares(self, write: MergedWrite) -> bool:
        """Tell whether several messages of a key have written a record together."""
        keys = [self.messages[message].key for message in write.messages]
        return len(set(keys)) < len(keys)


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
    related: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)
    """By mapping and record id, the rows that actions asked for."""
    planned: dict[str, set[str]] = field(default_factory=dict)
    """By record, the fields that were planned to be written."""

    def plan(
        self,
        event: AppcuesEvent,
        targets: Sequence[EventTarget],
        round_: WriteRound,
        refused: Sequence[EventTarget] = (),
    ) -> list[LatestState]:
        """
        Add the writes of one event to a round, and return the notes that they leave.

        `refused` are targets of which nothing can be known at present.
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
        """Name the newest delivered states that events are compared with."""
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
        """Name the states that events may write."""
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
        return Parked("converted_lead", "only converted leads have this id")
    names = ", ".join(dict.fromkeys(target.destination.mapping for target, _ in matched))
    return Parked("unknown_user", f"nobody in {names} has this id")
