"""The interface of an action, and its planned writes, which are sent in groups by verb, object and external ID."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.event_reader import AppcuesEvent

Row = Mapping[str, Any]
"""A row of a query."""
Record = dict[str, Any]
"""A record as sObject Collections takes it: `{"attributes": {"type": ...}, field: value}`."""
FieldName = tuple[str, str]
"""Object and field."""


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record to update by its id, to upsert by an external id, or to create."""

    mapping: str
    verb: Literal["update", "create", "upsert"]
    object: str
    key: str
    """Field that identifies the record: `Id`, or an external id; "" for one to create."""
    id: str
    """Its value; for a record to create, what tells it from others of the claim."""
    fields: Mapping[str, Any]
    newest: Mapping[str, LatestState] = field(default_factory=dict)
    """By field, the state to remember once it is written. Of two writes of a field, the newer one is sent."""
    notes: tuple[LatestState, ...] = ()
    """States to remember once the record is written, whatever becomes of single fields."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What an action knows besides the event."""

    record_id: str
    latest: Mapping[str, LatestState]
    """Newest delivered states by name, as far as `Action.state_names` asked for them."""
    lengths: Mapping[FieldName, int]
    """Lengths of the fields that `Action.fields_to_measure` asked for; without those the org did not tell."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """The record, as far as `Action.fields_to_read` asked for it."""
    planned: frozenset[str] = frozenset()
    """Fields of the record that an earlier event of the same claim fills."""
    related: Sequence[Row] = ()
    """The rows of `EventAction.related_queries` that are about the record."""


class EventAction(Protocol):
    """Plans the writes of one event for one record of the mapping that it was built for."""

    @property
    def takes_past(self) -> bool:
        """Whether an event that was loaded from an export is handled too: not where it would show up as news."""
        ...

    @property
    def fields_to_measure(self) -> frozenset[FieldName]:
        """Return the fields of which the org has to tell the length."""
        ...

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """Return the fields of the matched record that `plan` needs."""
        ...

    def related_queries(self, record_ids: Collection[str], /) -> Sequence[str]:
        """Return the queries for other records that `plan` needs, given the ids of the matched records."""
        ...

    def handles(self, event: AppcuesEvent) -> bool:
        """Tell whether the mapping asks for something when such an event occurs."""
        ...

    def state_names(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Name the newest delivered states that `plan` compares with."""
        ...

    def written_states(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Name the states that keep the newest values of fields that the event may write."""
        ...

    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """
        Return the writes of an event; none where newer values were delivered before.

        Raises:
            ActionError: The event cannot be written, and is parked with the error's reason.

        """
        ...


class ActionError(Exception):
    """An event that cannot be written as the project asks; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
