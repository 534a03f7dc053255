"""Explain which writes events would cause, without writing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sfcode.config.notify_models import AlarmName
from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.org import Org
from sfcode.org.collections import RecordResult
from sfcode.relay.appcues.mapping_view import PROGRESS, progress_field
from sfcode.relay.clock import boot_time
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, InboxMessage, LatestState, Parked
from sfcode.relay.reasons import hint_for
from sfcode.relay.salesforce.actions.action import Record
from sfcode.relay.salesforce.batch import Batch, EventRules
from sfcode.relay.salesforce.calls import Calls
from sfcode.relay.salesforce.destinations import destinations
from sfcode.relay.salesforce.quota import Quota, QuotaBounds

FindLatest = Callable[[Iterable[str]], Mapping[str, LatestState]]

SECONDS = 60.0
"""Time limit for one message."""


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A write that would be made: to a record by ID or by an external ID that may not exist yet, or to a group in Appcues."""

    verb: str
    object: str
    key: str
    id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The outcome of one message, and its planned writes."""

    message_id: str
    kind: str
    key: str
    state: str
    """The state of the message: `done`, `parked` or `waiting`."""
    note: str
    hint: str
    writes: tuple[PlannedWrite, ...]


@dataclass(frozen=True)
class _DryCalls(Calls):
    """Calls that read from the org, and collect writes instead of sending them."""

    writes: list[PlannedWrite] = field(default_factory=list)

    def update(self, records: Sequence[Record], deadline: float) -> list[RecordResult]:  # noqa: ARG002
        """Collect the records instead of updating them."""
        return [self._keep("update", "Id", record) for record in records]

    def create(self, records: Sequence[Record], deadline: float) -> list[RecordResult]:  # noqa: ARG002
        """Collect the records instead of creating them."""
        return [self._keep("create", "", record) for record in records]

    def upsert(self, sobject: str, external_id: str, records: Sequence[Record], deadline: float) -> list[RecordResult]:  # noqa: ARG002
        """Collect the records instead of upserting them."""
        return [self._keep("upsert", external_id, record) for record in records]

    def _keep(self, verb: str, key: str, record: Record) -> RecordResult:
        fields = {name: value for name, value in record.items() if name not in ("attributes", key)}
        self.writes.append(PlannedWrite(verb, str(record["attributes"]["type"]), key, str(record.get(key, "")), fields))
        return RecordResult(str(record.get(key, "")))


@dataclass
class _DryStates:
    """Latest states, including those of messages that were explained before. Nothing is announced or stored."""

    find: FindLatest
    newest: dict[str, LatestState] = field(default_factory=dict)

    def latest(self, names: Iterable[str], /) -> Mapping[str, LatestState]:
        """Return latest states by name."""
        name_list = list(names)
        return {**self.find(name_list), **{name: self.newest[name] for name in name_list if name in self.newest}}

    def announce(self, _claim: Claim, _names: Collection[str], /) -> int:
        """Announce nothing."""
        return 0


class _Silent:
    """Records nothing, since an explanation is not a delivery."""

    def record_call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Record nothing."""

    def record_hold(self, mapping: str, seconds: float) -> None:
        """Record nothing."""

    def record_quota(self, used: int, limit: int) -> None:
        """Record nothing."""

    def raise_alarm(self, name: AlarmName, detail: str) -> None:
        """Raise no alarm."""


def explain(
    project: Project,
    org: Org,
    messages: Iterable[InboxMessage],
    find_latest: FindLatest,
    clock: Callable[[], float] = boot_time,
) -> list[Explanation]:
    """Return the explanation of each message, in order, as if the earlier ones had been delivered. Writes nothing."""
    rules = EventRules(destinations(project), project.events)
    states = _DryStates(find_latest)
    explanations = []
    for number, message in enumerate(messages, start=1):
        if message.kind == PROGRESS:
            explanations.append(_explanation(message, Delivered(), (_set_group(message),)))
            continue
        calls = _DryCalls(org, _Silent(), clock, Quota(QuotaBounds()))
        end: Any = Parked(message.parked) if message.parked else None
        if end is None:
            deadline = clock() + SECONDS
            claim = Claim("explain", deadline, (_make_claimed(number, message),))
            delivery = Batch(rules, calls, states, claim, deadline).deliver()
            states.newest |= {state.name: state for state in delivery.latest}
            end = delivery.settlements[number]
        explanations.append(_explanation(message, end, tuple(calls.writes)))
    return explanations


def _set_group(message: InboxMessage) -> PlannedWrite:
    record = message.payload["record"]
    fields = {name.removeprefix(progress_field("")): value for name, value in record.items()}
    id_ = str(fields.pop("Id"))
    del fields["SystemModstamp"]
    return PlannedWrite("set", "group in Appcues", "id", id_, fields)


def _make_claimed(number: int, message: InboxMessage) -> ClaimedMessage:
    return ClaimedMessage(
        number,
        message.source,
        message.message_id,
        message.key,
        message.kind,
        message.payload,
        attempts=0,
        received_at=datetime.now(UTC),
    )


def _explanation(message: InboxMessage, end: Any, writes: tuple[PlannedWrite, ...]) -> Explanation:
    identity = (message.message_id, message.kind, message.key)
    if isinstance(end, Delivered):
        return Explanation(*identity, "done", end.note, "", writes)
    if isinstance(end, Parked):
        note = f"{end.reason}: {end.detail}" if end.detail else end.reason
        return Explanation(*identity, "parked", note, hint_for(end.reason), writes)
    return Explanation(*identity, "waiting", str(getattr(end, "error", "")), "", writes)
