"""One claim on its way to Salesforce: look everybody up, write wave by wave, settle each message by its own result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sfcode.config.event_models import Events
from sfcode.org.collections import RecordResult
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery, LatestState, Parked, Released, Settlement
from sfcode.relay.salesforce import error_policy, lookup
from sfcode.relay.salesforce.activities import ActivityKind, Record
from sfcode.relay.salesforce.calls import SMALLEST, CallFailedError, Calls
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import EventWork, read
from sfcode.relay.salesforce.texts import ActivityText
from sfcode.relay.salesforce.write_plan import Planner, RecordWrite, Wave, property_name, score_name, waves

Call = Callable[[list[Record]], list[RecordResult]]
LatestOf = Callable[[Iterable[str]], Mapping[str, LatestState]]


@dataclass(frozen=True)
class EventRules:
    """What the project says about events, ready for use."""

    destinations: tuple[Destination, ...]
    events: Events
    texts: Mapping[str, ActivityText]
    kind: ActivityKind


@dataclass
class Batch:
    """The state of one claim while it is delivered."""

    rules: EventRules
    calls: Calls
    latest_of: LatestOf
    claim: Claim
    deadline: float
    latest: dict[str, LatestState] = field(default_factory=dict)
    news: dict[str, LatestState] = field(default_factory=dict)
    settled: dict[int, Settlement] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    """Keys whose next message must not be written before an earlier one has been."""
    alarms: set[str] = field(default_factory=set)

    def deliver(self) -> Delivery:
        """Deliver the claim."""
        read_all = {one.id: read(one, self.rules.destinations, self.rules.events) for one in self.claim.messages}
        works = {number: one for number, one in read_all.items() if isinstance(one, EventWork)}
        found, failure = self._found(works.values())
        self.latest.update(self.latest_of(_names(works.values(), found)))
        planner = Planner(self.rules.kind, self.rules.texts, found, self.latest)
        for messages in waves(self.claim.messages):
            going = [message for message in messages if message.key not in self.held]
            wave = Wave({message.id: [] for message in going})
            for message in going:
                one = read_all[message.id]
                if not isinstance(one, EventWork):
                    wave.ends[message.id].append(one)
                elif failure is not None and one.targets:
                    wave.ends[message.id].append(failure)
                else:
                    planner.plan(one, wave)
            self._write(wave, {message.id: message for message in going})
            for message in messages:
                self._settle(message, wave.end(message.id) if message.id in wave.ends else Released(), works)
        for name in sorted(self.alarms):
            self.calls.observer.alarm(name, "see the messages that wait for it")
        return Delivery(self.settled, tuple(self.news.values()))

    def _found(self, works: Iterable[EventWork]) -> tuple[dict[tuple[str, str], lookup.LookupMatch], Settlement | None]:
        wanted: dict[str, set[str]] = {}
        for work in works:
            for want in work.targets:
                wanted.setdefault(want.destination.name, set()).add(want.id)
        asked = lookup.queries((each, wanted[each.name]) for each in self.rules.destinations if each.name in wanted)
        if not asked:
            return {}, None
        try:
            return lookup.matches(asked, self.calls.look_up(asked, self.deadline)), None
        except CallFailedError as error:
            return {}, error.end

    def _write(self, wave: Wave, messages: Mapping[int, ClaimedMessage]) -> None:
        # Salesforce takes records of several objects in one call, those of one object next to each other.
        updates = sorted(wave.updates.values(), key=lambda write: str(write.record["attributes"]))
        self._send(wave, messages, updates, lambda records: self.calls.update(records, self.deadline))
        kind = self.rules.kind
        left = [write for write in wave.upserts if not any(wave.retried(owner) for owner in write.owners)]
        self._send(
            wave,
            messages,
            left,
            lambda records: self.calls.upsert(kind.object, kind.external_id, records, self.deadline),
        )

    def _send(
        self, wave: Wave, messages: Mapping[int, ClaimedMessage], writes: Iterable[RecordWrite], call: Call
    ) -> None:
        """Send records in as few calls as the org takes; what a trigger could not take at once goes again in smaller ones."""
        waiting = deque(writes)
        while waiting:
            some = [waiting.popleft() for _ in range(min(len(waiting), self.calls.size.most))]
            crowded = self._call(wave, messages, some, call)
            if crowded:
                self.calls.size.shrink(len(some))
                self.alarms.add("salesforce_crowded")
            waiting.extendleft(reversed(crowded))

    def _call(
        self, wave: Wave, messages: Mapping[int, ClaimedMessage], some: list[RecordWrite], call: Call
    ) -> list[RecordWrite]:
        """Send records in one call and settle each by its result; give back those to be sent again with fewer others."""
        crowded: list[RecordWrite] = []
        try:
            results = call([write.record for write in some])
        except CallFailedError as failure:
            for write in some:
                for owner in write.owners:
                    wave.ends[owner].append(failure.end)
            return crowded
        for write, result in zip(some, results, strict=True):
            if len(some) > SMALLEST and any(map(error_policy.is_crowded, result.errors)):
                crowded.append(write)
                continue
            if not result.errors:
                for newest in write.stamps.values():
                    self.latest[newest.name] = self.news[newest.name] = newest
            for error in result.errors:
                self.alarms.update(filter(None, [error_policy.alarm_of(error)]))
                for owner in write.owners:
                    end = error_policy.settle_record(
                        error,
                        attempts=messages[owner].attempts,
                        external_id=self.rules.kind.external_id,
                        sent=write.values,
                    )
                    wave.ends[owner].append(end)
        return crowded

    def _settle(self, message: ClaimedMessage, end: Settlement, works: Mapping[int, EventWork]) -> None:
        self.settled[message.id] = end
        if not isinstance(end, Delivered | Parked):
            self.held.add(message.key)
            return
        work = works.get(message.id)
        if work is not None and work.score is not None:
            name = score_name(work.user_id)
            known = self.latest.get(name)
            if known is None or known.stamp <= work.stamp:
                self.latest[name] = self.news[name] = LatestState(name, work.stamp, str(work.score))


def _names(works: Iterable[EventWork], found: Mapping[tuple[str, str], lookup.LookupMatch]) -> list[str]:
    """List the newest states that have to be known."""
    names: set[str] = set()
    for work in works:
        if work.user_id:
            names.add(score_name(work.user_id))
        for want in work.targets:
            match = found.get((want.destination.name, want.id), lookup.LookupMatch())
            names.update(
                property_name(want.destination.name, record, kind)
                for record in match.records
                for kind in want.properties
            )
    return sorted(names)
