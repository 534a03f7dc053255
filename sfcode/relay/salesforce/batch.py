"""Deliver one claim to Salesforce: look up all records, write in rounds, and settle each message by its own results."""

from __future__ import annotations

import json
from collections import ChainMap, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sfcode.config.event_models import Events
from sfcode.config.notify_models import AlarmName
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.org.collections import RecordError
from sfcode.relay.api_calls import for_mappings
from sfcode.relay.current_pauses import CurrentPauses
from sfcode.relay.message import (
    AttemptedWrite,
    Claim,
    ClaimedMessage,
    Delivered,
    Delivery,
    FollowUp,
    InboxMessage,
    LatestState,
    Parked,
    Released,
    Retry,
    Settlement,
    StateStore,
)
from sfcode.relay.rewrite import KIND, rewritten_name
from sfcode.relay.salesforce import error_policy
from sfcode.relay.salesforce.actions import plan_rewrites
from sfcode.relay.salesforce.actions.action import FieldName
from sfcode.relay.salesforce.breaker import LONGEST
from sfcode.relay.salesforce.calls import SMALLEST, CallFailedError, Calls
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event, records_name, redact, score_name
from sfcode.relay.salesforce.record_finder import FoundRecords, RecordFinder, list_ids
from sfcode.relay.salesforce.write_plan import EventTarget, MergedWrite, Planner, WriteGroup, WriteRound, rounds

SINGLES = 10
"""Messages of one key that a claim sends one by one after a shared record was refused."""


@dataclass(frozen=True)
class EventRules:
    """The settings of a project about events, compiled."""

    destinations: tuple[Destination, ...]
    events: Events
    lengths: Mapping[FieldName, int] = field(default_factory=dict)
    """Lengths of fields that were read from the org."""
    redact: bool = False
    """Whether feedback texts are removed from the inbox once they are delivered."""


@dataclass
class Batch:
    """The state of one claim while it is delivered."""

    rules: EventRules
    calls: Calls
    states: StateStore
    claim: Claim
    deadline: float
    pauses: CurrentPauses = field(default_factory=CurrentPauses)
    latest: dict[str, LatestState] = field(default_factory=dict)
    """Newest delivered states, including those of this claim."""
    new_states: dict[str, LatestState] = field(default_factory=dict)
    """The states with new values that this claim has delivered."""
    settled: dict[int, Settlement] = field(default_factory=dict)
    waiting_keys: set[str] = field(default_factory=set)
    """The keys of messages that could not be written: later messages of these keys wait."""
    alarms: dict[AlarmName, set[str]] = field(default_factory=dict)
    """Names of alarms, with the mappings that they concern."""
    followups: list[FollowUp] = field(default_factory=list)
    rewritten: dict[str, LatestState] = field(default_factory=dict)
    """States that were written again, which are not new values."""
    redacted: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Payloads without feedback, by message."""
    intents: set[int] = field(default_factory=set)
    """IDs of the intents that announce the writes of this claim."""
    written: set[str] = field(default_factory=set)
    """Names of announced states that calls have written."""
    doubted: set[str] = field(default_factory=set)
    """Names of announced states that a call may have written, or may still write."""
    attempted: dict[int, list[AttemptedWrite]] = field(default_factory=dict)
    """The writes to the org with their outcomes, by message."""

    def deliver(self) -> Delivery:
        """Deliver the claim."""
        events, targets, ends = self._read()
        refusals = self._held_mappings(targets.values())
        records = self._find_records(targets.values(), refusals)
        planned: dict[str, LatestState] = {}
        planner = Planner(records.matches, ChainMap(planned, self.latest), self.rules.lengths, records.related)
        names = planner.state_names(events, targets)
        rewritten_names = [name for message in self.claim.messages if (name := rewritten_name(message))]
        self._announce({*rewritten_names, *planner.written_states(events, targets)})
        self.latest.update(self.states.latest([*names, *rewritten_names]))
        waiting: list[Sequence[ClaimedMessage]] = [self.claim.messages]
        for number in range(1 + SINGLES):
            messages = waiting.pop(0) if waiting else ()
            open_messages = {message.id: message for message in messages if message.key not in self.waiting_keys}
            round_ = WriteRound(open_messages, {id_: [] for id_ in open_messages}, single=number > 0)
            planned.clear()
            for message in open_messages.values():
                if message.kind == KIND:
                    for write in plan_rewrites(planner.latest.get(rewritten_name(message))):
                        round_.add(message.id, write)
                elif message.id in ends:
                    round_.ends[message.id].append(ends[message.id])
                elif records.failure is not None and targets[message.id]:
                    round_.ends[message.id].append(records.failure)
                else:
                    refused = [entry for entry in targets[message.id] if entry.destination.name in refusals]
                    for target in refused:
                        self._refuse(round_, message.id, target.destination.name, refusals[target.destination.name])
                    self._note_records(planner, targets[message.id], events[message.id])
                    usable = [entry for entry in targets[message.id] if entry not in refused]
                    notes = planner.plan(events[message.id], usable, round_, refused)
                    planned.update(
                        {state.name: state for state in (*notes, *_score(events[message.id], planner.latest))}
                    )
            self._write(round_)
            for record_id in round_.refused_records:
                planner.planned.pop(record_id, None)
            single_ids = round_.list_single_messages()
            self._settle_round(round_, [message for message in messages if message.id not in single_ids], events)
            waiting += rounds(message for message in messages if message.id in single_ids)
        for message in chain.from_iterable(waiting):
            self._settle(message, Released(), None)
        for name, mappings in sorted(self.alarms.items()):
            scope = f"mapping {', '.join(sorted(mappings))}: " if mappings else ""
            self.calls.instrumentation.raise_alarm(name, f"{scope}see the messages that wait for it")
        return Delivery(
            self.settled,
            tuple(self.new_states.values()),
            tuple(self.followups),
            tuple(self.rewritten.values()),
            self.redacted,
            frozenset(self.intents),
            frozenset(self.written),
            frozenset(self.doubted),
            self.attempted,
        )

    def _announce(self, names: Collection[str]) -> None:
        """Announce the states that may be written, so that neither a crash nor a concurrent claim leaves an older value."""
        if names:
            self.intents.add(self.states.announce(self.claim, names))

    def _read(self) -> tuple[dict[int, AppcuesEvent], dict[int, list[EventTarget]], dict[int, Settlement]]:
        """Read the events of the claim; return them, their targets, and settlements of messages without a target."""
        events: dict[int, AppcuesEvent] = {}
        targets: dict[int, list[EventTarget]] = {}
        ends: dict[int, Settlement] = {}
        for message in self.claim.messages:
            if message.kind == KIND:
                continue
            event = read_event(message, self.rules.events)
            outcome = event if isinstance(event, Parked) else self._targets(event)
            if isinstance(outcome, Parked | Delivered):
                ends[message.id] = outcome
            elif isinstance(event, AppcuesEvent):
                events[message.id], targets[message.id] = event, outcome
        return events, targets, ends

    def _targets(self, event: AppcuesEvent) -> list[EventTarget] | Parked | Delivered:
        """Return the targets of an event; a settlement if it has none or is invalid."""
        handled = [(mapping, mapping.actions_for(event)) for mapping in self.rules.destinations]
        if event.problem is not None:
            return event.problem if any(actions for _, actions in handled) else Delivered("not_mapped")
        if event.mapping:
            handled = [(mapping, actions) for mapping, actions in handled if mapping.has_name(event.mapping)]
            if not handled:
                return Parked("no_mapping", f"no mapping {event.mapping} receives events")
        targets = [
            EventTarget(mapping, id_, actions)
            for mapping, actions in handled
            if actions and (id_ := event.id_for(mapping.match))
        ]
        return targets if targets or event.score is not None else Delivered("not_mapped")

    def _note_records(self, planner: Planner, targets: list[EventTarget], event: AppcuesEvent) -> None:
        """Store the records of a user, so that their states can be deleted with the user's data."""
        records = {
            record_id
            for target in targets
            if target.destination.match == "user"
            for record_id in planner.match(target).records
        }
        name = records_name(event.user_id)
        records_state = self.latest.get(name, LatestState(name, ""))
        before = set(json.loads(records_state.value or "[]"))
        if records - before:
            stamp = max(records_state.stamp, event.stamp)
            self.latest[name] = self.new_states[name] = LatestState(name, stamp, json.dumps(sorted(records | before)))

    def _held_mappings(self, targets: Iterable[list[EventTarget]]) -> dict[str, Retry]:
        """Return the mappings that are paused or were refused by the org recently, which are not queried now."""
        now = self.calls.clock()
        mappings = {target.destination.name: target.destination.mapping for group in targets for target in group}
        waits = {name: self.calls.holds.seconds_left(name, now) for name in mappings}
        retries = {
            name: Retry(f"mapping {name} is held back", wait, counts=False) for name, wait in waits.items() if wait
        }
        paused = self.pauses.refusals(mappings.values())
        return retries | {name: paused[mapping] for name, mapping in mappings.items() if mapping in paused}

    def _find_records(self, targets: Iterable[list[EventTarget]], refusals: dict[str, Retry]) -> FoundRecords:
        """Find the records of all targets; mappings that the org refuses are added to `refusals`."""
        finder = RecordFinder(self.rules.destinations, self.calls, self.deadline, self._hold, refusals)
        usable = (target for target in chain.from_iterable(targets) if target.destination.name not in refusals)
        return finder.find(list_ids((target.destination.name, target.id) for target in usable))

    def _hold(self, mapping: str, failure: CallFailedError) -> Retry:
        """Hold a mapping that the org refuses, and return the settlement of its messages."""
        self.calls.holds.hold(mapping, self.calls.clock())
        self.calls.instrumentation.record_hold(mapping, LONGEST)
        if failure.alarm:
            mappings = {f"{mapping} ({_error_of(failure.end)})"} if mapping else set()
            self.alarms.setdefault(failure.alarm, set()).update(mappings)
        return failure.end if isinstance(failure.end, Retry) else Retry("refused", counts=False)

    def _refuse(self, round_: WriteRound, message: int, mapping: str, end: Retry) -> None:
        round_.refused.setdefault(message, {})[mapping] = replace(end, of_mapping=True)

    def _follow_up(
        self, message: ClaimedMessage, end: Settlement, refused: Mapping[str, Retry], event: AppcuesEvent | None
    ) -> Settlement:
        """
        Settle a message whose writes the org refused for some mappings.

        The writes of the other mappings are done. For each refused mapping, a follow-up message with its own key is queued,
        so that the user's next events neither wait for the other mappings nor are written twice. If every mapping is
        refused, the message itself waits; a message that writes a record again always does.
        """
        if not refused or not isinstance(end, Delivered | Parked):
            return end
        if event is None or event.mapping or len(refused) == len(self.rules.destinations):
            return next(iter(refused.values()))
        for mapping, wait in refused.items():
            payload = {**message.payload, "mapping": mapping, "message_id": message.message_id}
            part = InboxMessage(
                message.source, f"{message.message_id}@{mapping}", f"{message.key}@{mapping}", message.kind, payload
            )
            self.followups.append(FollowUp(part, min(wait.after or LONGEST, LONGEST), wait.error))
        waiting = f"waits for mapping {', '.join(sorted(refused))}"
        return Delivered(waiting) if isinstance(end, Delivered) else end

    def _write(self, round_: WriteRound) -> None:
        """
        Send a round in as few calls as possible; records for which a trigger exceeded a limit are sent again in smaller calls.

        Updates are sent first. Creates and upserts of a message that is retried, and of later ones of its key, wait for the retry.
        """
        for group, writes in round_.writes():
            waiting = deque(writes)
            while waiting:
                if group.verb != "update":
                    waiting = deque(self._without_held(waiting, round_))
                chunk = [waiting.popleft() for _ in range(min(len(waiting), self.calls.size.most))]
                with for_mappings(name for write in chunk for names in write.messages.values() for name in names):
                    retries = self._send(group, chunk, round_) if chunk else []
                if retries:
                    self.calls.size.shrink(len(chunk))
                    self.alarms.setdefault("salesforce_crowded", set())
                waiting.extendleft(reversed(retries))

    def _without_held(self, writes: Iterable[MergedWrite], round_: WriteRound) -> Iterable[MergedWrite]:
        """Leave out creates and upserts of waiting messages; other messages that share such a write wait as well."""
        waiting_messages = round_.list_waiting()
        for write in writes:
            if waiting_messages.isdisjoint(write.messages):
                yield write
                continue
            for message in write.messages:
                round_.ends[message].append(Released())

    def _send(self, group: WriteGroup, writes: list[MergedWrite], round_: WriteRound) -> list[MergedWrite]:
        """Send records in one call; return those that must be sent again in smaller calls."""
        retries: list[MergedWrite] = []
        records = [write.record for write in writes]
        objects = {write.object for write in writes}
        try:
            if group.verb == "update":
                results = self.calls.update(records, self.deadline)
            elif group.verb == "create":
                results = self.calls.create(records, self.deadline)
            else:
                results = self.calls.upsert(group.object, group.key, records, self.deadline)
        except CallFailedError as failure:
            if failure.of_mapping and len(objects) > 1:
                # The call was refused because of one object, so the other objects are sent without it.
                parts = [[write for write in writes if write.object == name] for name in sorted(objects)]
                return [write for part in parts for write in self._send(group, part, round_)]
            self._settle_failed_call(failure, group, writes, round_)
            return retries
        for write, result in zip(writes, results, strict=True):
            if len(writes) > SMALLEST and any(map(error_policy.exceeds_governor_limit, result.errors)):
                retries.append(write)
                continue
            self._record(group, write, result.errors, result.id)
            if not result.errors:
                is_again = all(round_.messages[message].kind == KIND for message in write.messages)
                for state in write.states(redact=self.rules.redact):
                    self.written.add(state.name)
                    (self.rewritten if is_again else self.new_states)[state.name] = self.latest[state.name] = state
            for error in result.errors:
                self._settle_refused_record(error, write, round_)
        return retries

    def _record(
        self, group: WriteGroup, write: MergedWrite, errors: Sequence[RecordError], record_id: str = ""
    ) -> None:
        """Add a write and its outcome to the histories of its messages."""
        error = errors[0] if errors else RecordError("ok", "")
        is_external = write.key not in ("", "Id")
        attempt = AttemptedWrite(
            group.verb,
            write.object,
            tuple(name for name in write.record if name not in ("attributes", write.key)),
            error.code,
            error_policy.mask(error.message, write.values),
            record_id or ("" if is_external or not write.key else write.id),
            write.key if is_external else "",
            write.id if is_external else "",
        )
        for message in write.messages:
            self.attempted.setdefault(message, []).append(attempt)

    def _settle_failed_call(
        self, failure: CallFailedError, group: WriteGroup, writes: list[MergedWrite], round_: WriteRound
    ) -> None:
        for write in writes:
            self._record(group, write, (RecordError(_error_of(failure.end), ""),))
            if failure.is_unknown:
                self.doubted.update(state.name for state in write.states())
            for message, mappings in write.messages.items():
                if not failure.of_mapping:
                    round_.ends[message].append(failure.end)
                    continue
                for mapping in mappings:
                    self._refuse(round_, message, mapping, self._hold(mapping, failure))

    def _settle_refused_record(self, error: RecordError, write: MergedWrite, round_: WriteRound) -> None:
        if not round_.single and round_.shares(write) and error_policy.may_be_of_one_value(error):
            # One of the messages causes the error, so each is sent separately.
            round_.apart.update(write.messages)
            round_.refused_records.add(write.id)
            return
        if alarm := error_policy.alarm_of(error):
            reason = error_policy.explain_refusal(error, write.values)
            mappings = {f"{mapping}{reason}" for group in write.messages.values() for mapping in group if mapping}
            self.alarms.setdefault(alarm, set()).update(mappings)
        for message, mappings in write.messages.items():
            end = error_policy.settle_record(
                error, attempts=round_.messages[message].attempts, external_id=write.key, values_to_mask=write.values
            )
            if error_policy.is_record_refusal_of_mapping(error) and isinstance(end, Retry):
                for mapping in mappings:
                    self._refuse(round_, message, mapping, end)
            else:
                round_.ends[message].append(end)

    def _settle_round(
        self, round_: WriteRound, messages: Iterable[ClaimedMessage], events: Mapping[int, AppcuesEvent]
    ) -> None:
        for message in messages:
            end: Settlement = Released()
            event, refused = events.get(message.id), round_.refused.get(message.id, {})
            if message.key not in self.waiting_keys:
                end = self._follow_up(message, round_.end(message.id), refused, event)
            self._settle(message, end, event)

    def _settle(self, message: ClaimedMessage, end: Settlement, event: AppcuesEvent | None) -> None:
        self.settled[message.id] = end
        if not isinstance(end, Delivered | Parked):
            self.waiting_keys.add(message.key)
            return
        if event is not None and self.rules.redact and isinstance(end, Delivered) and event.answers.get("feedback"):
            self.redacted[message.id] = redact(event)
        for state in _score(event, self.latest) if event is not None else ():
            self.latest[state.name] = self.new_states[state.name] = state


def _score(event: AppcuesEvent, latest: Mapping[str, LatestState]) -> list[LatestState]:
    """Return the state of a user's newest score, if the event has a score."""
    if event.score is None:
        return []
    name = score_name(event.user_id)
    state = latest.get(name)
    return [LatestState(name, event.stamp, str(event.score))] if state is None or state.stamp <= event.stamp else []


def _error_of(end: Settlement) -> str:
    return end.error if isinstance(end, Retry) else "refused"
