"""What is written in one go: at most one message of each key, its properties folded by record, its activities beside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sfcode.relay.message import ClaimedMessage, Delivered, LatestState, Parked, Released, Retry, Settlement
from sfcode.relay.salesforce.activities import ActivityKind, Record
from sfcode.relay.salesforce.event_reader import EventWork, RecordTarget
from sfcode.relay.salesforce.lookup import LookupMatch
from sfcode.relay.salesforce.texts import ActivityText, TemplateFailedError

LONGEST_NAME = 255

Found = Mapping[tuple[str, str], LookupMatch]


@dataclass
class RecordWrite:
    """One record to write, and the messages that wait for it."""

    record: Record
    owners: set[int] = field(default_factory=set)
    stamps: dict[str, LatestState] = field(default_factory=dict)
    """What is newest once it is written, by field."""

    @property
    def values(self) -> set[str]:
        """The texts in it, which nobody else needs to see."""
        return {value for value in self.record.values() if isinstance(value, str)}


@dataclass
class Wave:
    """The writes of one go, and what has become of each message so far."""

    ends: dict[int, list[Settlement]]
    updates: dict[str, RecordWrite] = field(default_factory=dict)
    upserts: list[RecordWrite] = field(default_factory=list)

    def end(self, message: int) -> Settlement:
        """Settle a message: what has to be tried again comes before what is parked, and that before what is done."""
        ends = self.ends[message]
        for kind in (Retry, Released, Parked):
            for one in ends:
                if isinstance(one, kind):
                    return one
        return ends[0] if ends else Delivered()

    def retried(self, message: int) -> bool:
        """Tell whether a message has to be tried again anyway."""
        return isinstance(self.end(message), Retry | Released)


def waves(messages: Iterable[ClaimedMessage]) -> list[list[ClaimedMessage]]:
    """Part a claim so that no two messages of a key are in one go: the first of each, the second of each, ..."""
    found: list[list[ClaimedMessage]] = []
    place: dict[str, int] = {}
    for message in messages:
        number = place.get(message.key, 0)
        place[message.key] = number + 1
        if number == len(found):
            found.append([])
        found[number].append(message)
    return found


@dataclass(frozen=True)
class Planner:
    """Turns what events ask for into writes. It asks Salesforce nothing."""

    kind: ActivityKind
    texts: Mapping[str, ActivityText]
    found: Found
    latest: Mapping[str, LatestState]

    def plan(self, work: EventWork, wave: Wave) -> None:
        """Add the writes of one event to a wave."""
        ends = wave.ends[work.message.id]
        matched = [(want, self.found.get((want.destination.name, want.id), LookupMatch())) for want in work.targets]
        unclear = [want.destination.name for want, match in matched if len(match.records) > 1]
        clear = [(want, match.records[0]) for want, match in matched if len(match.records) == 1]
        if unclear:
            ends.append(Parked("several_matches", f"in {', '.join(unclear)}"))
        elif not clear:
            ends.append(_nobody(matched))
        fresh = [self._properties(work, want, record, wave) for want, record in clear]
        wanted = [(want, record, activity) for want, record in clear for activity in want.activities]
        try:
            for want, record, activity in wanted:
                texts = self.texts[activity].render(lambda name: self._value(work, name))
                made = self.kind.record(work, want, activity, record, texts)
                wave.upserts.append(RecordWrite(made, {work.message.id}))
        except TemplateFailedError as error:
            ends.append(Parked("bad_text", f"the texts of {work.event} cannot be filled in: {error}"))
        if clear and not wanted and not any(fresh):
            ends.append(Delivered("stale"))

    def _properties(self, work: EventWork, want: RecordTarget, record_id: str, wave: Wave) -> bool:
        """Add new values of a record, unless newer ones were written; of several the newest is kept."""
        added = False
        for kind, value in want.properties.items():
            name = property_name(want.destination.name, record_id, kind)
            known = self.latest.get(name)
            if known is not None and known.stamp > work.stamp:
                continue
            empty = RecordWrite({"attributes": {"type": want.destination.object}, "Id": record_id})
            write = wave.updates.setdefault(record_id, empty)
            target = want.destination.fields[kind]
            held = write.stamps.get(target)
            if held is None or held.stamp <= work.stamp:
                write.record[target] = value
                write.stamps[target] = LatestState(name, work.stamp)
            write.owners.add(work.message.id)
            added = True
        return added

    def _value(self, work: EventWork, name: str) -> object:
        if name == "score" and work.is_late_feedback:
            score = self.latest.get(score_name(work.user_id))
            return score.value if score is not None and score.stamp <= work.stamp else None
        return work.value(name)


def _nobody(matched: Iterable[tuple[RecordTarget, LookupMatch]]) -> Parked | Delivered:
    asked = list(matched)
    if not asked:
        return Delivered("not_mapped")
    if any(match.converted for _, match in asked):
        return Parked("converted_lead", "only converted leads have this id")
    return Parked("unknown_user", f"nobody in {', '.join(want.destination.name for want, _ in asked)} has this id")


def property_name(mapping: str, record_id: str, kind: str) -> str:
    """Name the newest value of a record's property."""
    return f"nps:{mapping}:{record_id}:{kind}"


def score_name(user_id: str) -> str:
    """Name a user's newest score. An id that is too long for an index, or is no plain text, is hashed."""
    if len(user_id) <= LONGEST_NAME and user_id.isprintable():
        return f"score:user:{user_id}"
    return f"score:user:sha256-{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
