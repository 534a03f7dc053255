"""Deliver one claim to Salesforce: look up all records, write round by round, settle each message by its own results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sfcode.config.event_models import Events
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery, LatestState, Parked, Released, Settlement
from sfcode.relay.salesforce import error_policy, lookup
from sfcode.relay.salesforce.actions.action import FieldName
from sfcode.relay.salesforce.calls import SMALLEST, CallFailedError, Calls
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event, score_name
from sfcode.relay.salesforce.write_plan import (
    EventTarget,
    Matches,
    MergedWrite,
    Planner,
    WriteGroup,
    WriteRound,
    rounds,
)

FindLatest = Callable[[Iterable[str]], Mapping[str, LatestState]]


@dataclass(frozen=True)
class EventRules:
    """What the project says about events, ready for use."""

    destinations: tuple[Destination, ...]
    events: Events
    lengths: Mapping[FieldName, int] = field(default_factory=dict)
    """Lengths of fields that only the org knows."""


@dataclass
class Batch:
    """The state of one claim while it is delivered."""

    rules: EventRules
    calls: Calls
    find_latest: FindLatest
    claim: Claim
    deadline: float
    latest: dict[str, LatestState] = field(default_factory=dict)
    """Newest delivered states, those of this claim included."""
    news: dict[str, LatestState] = field(default_factory=dict)
    """Those of this claim."""
    settled: dict[int, Settlement] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    """Keys whose next message must not be written before an earlier one has been."""
    alarms: set[str] = field(default_factory=set)

    def deliver(self) -> Delivery:
        """Deliver the claim."""
        events: dict[int, AppcuesEvent] = {}
        targets: dict[int, list[EventTarget]] = {}
        ends: dict[int, Settlement] = {}
        for message in self.claim.messages:
            event = read_event(message, self.rules.events)
            found = event if isinstance(event, Parked) else self._targets(event)
            if isinstance(found, Parked | Delivered):
                ends[message.id] = found
            elif isinstance(event, AppcuesEvent):
                events[message.id], targets[message.id] = event, found
        matches, failure = self._look_up(targets.values())
        planner = Planner(matches, self.latest, self.rules.lengths)
        self.latest.update(self.find_latest(_state_names(planner, events, targets)))
        for messages in rounds(self.claim.messages):
            open_messages = [message for message in messages if message.key not in self.blocked]
            round_ = WriteRound({message.id: [] for message in open_messages})
            for message in open_messages:
                if message.id in ends:
                    round_.ends[message.id].append(ends[message.id])
                elif failure is not None and targets[message.id]:
                    round_.ends[message.id].append(failure)
                else:
                    planner.plan(events[message.id], targets[message.id], round_)
            self._write(round_, {message.id: message for message in open_messages})
            for message in messages:
                end = round_.end(message.id) if message.id in round_.ends else Released()
                self._settle(message, end, events.get(message.id))
        for name in sorted(self.alarms):
            self.calls.instrumentation.raise_alarm(name, "see the messages that wait for it")
        return Delivery(self.settled, tuple(self.news.values()))

    def _targets(self, event: AppcuesEvent) -> list[EventTarget] | Parked | Delivered:
        """Return the mappings that an event concerns; a settlement where it concerns none, or cannot be used."""
        handled = [(mapping, mapping.actions_for(event)) for mapping in self.rules.destinations]
        if event.problem is not None:
            return event.problem if any(actions for _, actions in handled) else Delivered("not_mapped")
        targets = [
            EventTarget(mapping, id_, actions)
            for mapping, actions in handled
            if actions and (id_ := event.id_for(mapping.match))
        ]
        return targets if targets or event.score is not None else Delivered("not_mapped")

    def _look_up(self, targets: Iterable[list[EventTarget]]) -> tuple[Matches, Settlement | None]:
        ids: dict[str, set[str]] = {}
        for target in (target for each in targets for target in each):
            ids.setdefault(target.destination.name, set()).add(target.id)
        queries = lookup.queries((each, ids[each.name]) for each in self.rules.destinations if each.name in ids)
        if not queries:
            return {}, None
        try:
            return lookup.matches(queries, self.calls.look_up(queries, self.deadline)), None
        except CallFailedError as error:
            return {}, error.end

    def _write(self, round_: WriteRound, messages: Mapping[int, ClaimedMessage]) -> None:
        """Send a round in as few calls as the org takes; what a trigger could not take goes again in smaller ones."""
        for group, writes in round_.writes():
            waiting = deque(
                write for write in writes if group.verb == "update" or not any(map(round_.is_retried, write.messages))
            )
            while waiting:
                sent = [waiting.popleft() for _ in range(min(len(waiting), self.calls.size.most))]
                crowded = self._send(group, sent, round_, messages)
                if crowded:
                    self.calls.size.shrink(len(sent))
                    self.alarms.add("salesforce_crowded")
                waiting.extendleft(reversed(crowded))

    def _send(
        self, group: WriteGroup, writes: list[MergedWrite], round_: WriteRound, messages: Mapping[int, ClaimedMessage]
    ) -> list[MergedWrite]:
        """Send records in one call; return those to be sent again together with fewer others."""
        crowded: list[MergedWrite] = []
        records = [write.record for write in writes]
        try:
            if group.verb == "update":
                results = self.calls.update(records, self.deadline)
            else:
                results = self.calls.upsert(group.object, group.key, records, self.deadline)
        except CallFailedError as failure:
            for message in (message for write in writes for message in write.messages):
                round_.ends[message].append(failure.end)
            return crowded
        for write, result in zip(writes, results, strict=True):
            if len(writes) > SMALLEST and any(map(error_policy.is_crowded, result.errors)):
                crowded.append(write)
                continue
            if not result.errors:
                for state in write.newest.values():
                    self.latest[state.name] = self.news[state.name] = state
            for error in result.errors:
                self.alarms.update(filter(None, [error_policy.alarm_of(error)]))
                for message in write.messages:
                    end = error_policy.settle_record(
                        error, attempts=messages[message].attempts, external_id=write.key, sent=write.values
                    )
                    round_.ends[message].append(end)
        return crowded

    def _settle(self, message: ClaimedMessage, end: Settlement, event: AppcuesEvent | None) -> None:
        self.settled[message.id] = end
        if not isinstance(end, Delivered | Parked):
            self.blocked.add(message.key)
            return
        if event is not None and event.score is not None:
            name = score_name(event.user_id)
            known = self.latest.get(name)
            if known is None or known.stamp <= event.stamp:
                self.latest[name] = self.news[name] = LatestState(name, event.stamp, str(event.score))


def _state_names(
    planner: Planner, events: Mapping[int, AppcuesEvent], targets: Mapping[int, list[EventTarget]]
) -> list[str]:
    """Name the newest delivered states that this claim compares with."""
    names: set[str] = set()
    for number, event in events.items():
        if event.score is not None:
            names.add(score_name(event.user_id))
        for target in targets[number]:
            for record_id in planner.match(target).records:
                for action in target.actions:
                    names.update(action.state_names(event, record_id))
    return sorted(names)
