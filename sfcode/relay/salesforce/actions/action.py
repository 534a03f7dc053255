"""The interface of an action, and its planned writes, which are sent in groups by verb, object and external ID."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.event_reader import AppcuesEvent

Row = Mapping[str, Any]
"""A row of a query."""
Record = dict[str, Any]
"""A record in the format of sObject Collections: `{"attributes": {"type": ...}, field: value}`."""
FieldName = tuple[str, str]
"""The names of an object and of its field."""


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record to update by its ID, to upsert by an external ID, or to create."""

    mapping: str
    verb: Literal["update", "create", "upsert"]
    object: str
    key: str
    """Field that identifies the record: `Id`, or an external ID; "" for one to create."""
    id: str
    """The value of that field; for a record to create, a key that is unique in the claim."""
    fields: Mapping[str, Any]
    newest: Mapping[str, LatestState] = field(default_factory=dict)
    """The states to store once their fields are written, by field. Of two writes of a field, the newer one is sent."""
    notes: tuple[LatestState, ...] = ()
    """States to store once the record is written, independent of its fields."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """The data that an action uses besides the event."""

    record_id: str
    latest: Mapping[str, LatestState]
    """The newest delivered states, for the names that `EventAction.state_names` returned."""
    lengths: Mapping[FieldName, int]
    """Lengths of the fields that `EventAction.fields_to_measure` returned, if the org reported them."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """The record, with the fields that `EventAction.fields_to_read` returned."""
    planned: frozenset[str] = frozenset()
    """Fields of the record that an earlier event of the same claim writes."""
    related: Sequence[Row] = ()
    """The rows of `EventAction.related_queries` that belong to the record."""


class EventAction(ABC):
    """
    Plans the writes of one event for one record of the action's mapping.

    By default an action needs no field of the record and no other records, and ignores past events.
    """

    __slots__ = ()

    @property
    def takes_past(self) -> bool:
        """Whether past events from an export are handled too; False if they would look like new ones."""
        return False

    @property
    def fields_to_measure(self) -> frozenset[FieldName]:
        """The fields whose lengths must be read from the org."""
        return frozenset()

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """The fields of the matched record that `plan` needs."""
        return ()

    def related_queries(self, record_ids: Collection[str], /) -> Sequence[str]:  # noqa: ARG002 (an action that reads uses it)
        """Return the queries for other records that `plan` needs, given the IDs of the matched records."""
        return ()

    @abstractmethod
    def handles(self, event: AppcuesEvent) -> bool:
        """Return whether the mapping configures this action for such an event."""

    @abstractmethod
    def state_names(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states that `plan` compares with."""

    @abstractmethod
    def written_states(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states for fields that the event may write."""

    @abstractmethod
    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """
        Return the writes of an event; none if newer values were delivered before.

        Raises:
            ActionError: The event cannot be written, and is parked with the error's reason.

        """


class ActionError(Exception):
    """Raised for an event that cannot be written as configured; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
