"""A scripted Salesforce: a test defines the found records and the result of each write, and reads the sent calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sfcode.config.events_file import default_events
from sfcode.org.collections import RecordError, RecordResult
from sfcode.relay.message import Claim, ClaimedMessage, Delivery, LatestState, Retry, Settlement
from sfcode.relay.salesforce.actions.activities import Activities, ActivityKind
from sfcode.relay.salesforce.actions.nps_fields import NpsFields
from sfcode.relay.salesforce.batch import Batch, EventRules
from sfcode.relay.salesforce.breaker import MappingHolds
from sfcode.relay.salesforce.calls import CallFailedError, CallSize
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.texts import compile_texts
from tests.relay.states import States

KEY = "Event_Id__c"
SCORE, FEEDBACK = "Score__c", "Feedback__c"
EVENTS = default_events()
REFUSED_MAPPING = CallFailedError(
    Retry("INVALID_TYPE", 300.0, counts=False), of_mapping=True, alarm="salesforce_access"
)
OUTAGE = CallFailedError(Retry("no answer", counts=False), is_unknown=True)


def destination(
    name: str,
    object_: str,
    *,
    match: Any = "user",
    fields: Mapping[str, str] | None = None,
    activities: Iterable[str] = ("nps_score", "nps_feedback", "flow_completed"),
) -> Destination:
    """Return a mapping whose NPS fields are `SCORE` and `FEEDBACK`, and whose activities are Events."""
    nps_fields = {"score": SCORE, "feedback": FEEDBACK} if fields is None else fields
    kind = ActivityKind("Event", KEY, lambda _event, subject, comment: {"Subject": subject, "Description": comment})
    log = Activities(
        name, "WhoId", kind, compile_texts(dict(EVENTS.activities)), dict.fromkeys(activities, frozenset())
    )
    actions = (NpsFields(name, object_, nps_fields), log) if nps_fields else (log,)
    return Destination(name, object_, match, "Key__c", actions=actions)


CONTACT, LEAD = destination("contact", "Contact"), destination("lead", "Lead")
QUIET = destination("contact", "Contact", activities=())
"""A mapping with NPS fields and without activities."""


@dataclass
class Sent:
    """One call that writes."""

    verb: str
    object: str
    key: str
    records: list[dict[str, Any]]

    @property
    def ids(self) -> list[str]:
        """The IDs or external IDs of the records."""
        return [record[self.key] for record in self.records]


@dataclass
class ScriptedCalls:
    """The calls of a writer. Each write takes the next of `ends`: a failure, or errors by ID."""

    people: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Pairs of a record's ID and its user or group ID, by mapping."""
    converted: set[str] = field(default_factory=set)
    """IDs of converted leads."""
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Further fields by the ID of a record."""
    ends: list[CallFailedError | Mapping[str, RecordError]] = field(default_factory=list)
    lookup_failure: CallFailedError | None = None
    refused_lookups: dict[str, CallFailedError] = field(default_factory=dict)
    now: float = 1000.0
    sent: list[Sent] = field(default_factory=list)
    looked_up: list[list[str]] = field(default_factory=list)
    """The SOQL queries of each lookup."""
    deadlines: list[float] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    size: CallSize = field(default_factory=CallSize)
    holds: MappingHolds = field(default_factory=MappingHolds)

    @property
    def instrumentation(self) -> ScriptedCalls:
        """An instrumentation that records alarms."""
        return self

    def raise_alarm(self, name: str, detail: str) -> None:
        self.alarms.append((name, detail))

    def record_hold(self, mapping: str, seconds: float) -> None:
        """Do nothing, since `holds` contains the held mappings."""

    def clock(self) -> float:
        return self.now

    def look_up(self, lookup_queries: Sequence[Any], deadline: float) -> list[Any]:
        self.deadlines.append(deadline)
        self.looked_up.append([query.soql for query in lookup_queries])
        if self.lookup_failure is not None:
            raise self.lookup_failure
        return [
            self.refused_lookups.get(query.destination.name) or self._rows(query.destination)
            for query in lookup_queries
        ]

    def _rows(self, target: Destination) -> list[dict[str, Any]]:
        return [
            {"Id": record, target.key: user, "IsConverted": record in self.converted, **self.more.get(record, {})}
            for record, user in self.people.get(target.name, ())
        ]

    def update(self, records: Sequence[Any], deadline: float) -> list[RecordResult]:
        return self._write(Sent("update", "", "Id", list(records)), deadline)

    def upsert(self, name: str, key: str, records: Sequence[Any], deadline: float) -> list[RecordResult]:
        return self._write(Sent("upsert", name, key, list(records)), deadline)

    def _write(self, call: Sent, deadline: float) -> list[RecordResult]:
        self.deadlines.append(deadline)
        self.sent.append(call)
        end = self.ends.pop(0) if self.ends else {}
        if isinstance(end, CallFailedError):
            raise end
        return [RecordResult(id_, (end[id_],) if id_ in end else ()) for id_ in call.ids]


@dataclass
class Scene:
    """The environment of a batch: the mappings, the calls, and the states in the inbox."""

    calls: ScriptedCalls
    destinations: tuple[Destination, ...] = (CONTACT,)
    latest: dict[str, LatestState] = field(default_factory=dict)
    redact: bool = False
    states: States = field(default_factory=States)
    asked_for: set[str] = field(default_factory=set)
    """Names of the states that the last delivery read from the inbox."""

    def __post_init__(self) -> None:
        self.states.find = self._find_latest

    def deliver(self, *messages: ClaimedMessage) -> Delivery:
        """Deliver a claim of these messages."""
        rules = EventRules(self.destinations, EVENTS, redact=self.redact)
        return Batch(rules, self.calls, self.states, Claim("token", 1e9, messages), 1234.0).deliver()  # type: ignore[arg-type]

    def settle(self, *messages: ClaimedMessage) -> list[Settlement]:
        """Deliver messages and return their settlements in the same order."""
        delivery = self.deliver(*messages)
        return [delivery.settlements[message.id] for message in messages]

    def _find_latest(self, names: Iterable[str]) -> dict[str, LatestState]:
        self.asked_for = set(names)
        return {name: self.latest[name] for name in self.asked_for if name in self.latest}


def people(*users: str, mapping: str = "contact", prefix: str = "003") -> dict[str, list[tuple[str, str]]]:
    """Return one record for each user of a mapping."""
    return {mapping: [(f"{prefix}{user}", user) for user in users]}
