"""Resolved mappings: directions, defaults and Salesforce names, each with its place in the YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from sfcode.diagnostics import Position
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.conditions import Condition
from sfcode.mapping.field_types import AttributeType
from sfcode.mapping.fields import NAME_PARTS, UNWATCHED_FIELDS
from sfcode.mapping.place import ConfigPath, Place, place_at
from sfcode.mapping.targets import TargetValue
from sfcode.mapping.value_map import ValueMap
from sfcode.metadata.objects import Field


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A Salesforce field that a mapping reads, and its place."""

    field: str
    place: Place
    attribute: str = ""
    """The Appcues attribute that the field is sent as; "" for the user ID and its source."""
    type: AttributeType | None = None
    """The type of the attribute, if the mapping sets one."""
    values: ValueMap | None = None
    """The translation of the field's values, if the mapping has one."""


@dataclass(frozen=True, slots=True)
class FieldTarget:
    """A field of the record that events write, and its place."""

    value: TargetValue
    field: str
    create: bool
    """Whether sfcode creates the field and manages it."""
    place: Place
    if_blank: bool = False
    """Whether the field is written only if it has no value yet."""


@dataclass(frozen=True, slots=True)
class EventUse:
    """An Appcues event that becomes an activity of the record, and its place."""

    name: str
    place: Place
    items: frozenset[str] = frozenset()
    """Names and IDs of the flows, surveys, checklists or goals to log; all if empty."""


@dataclass(frozen=True)
class ResolvedMapping:
    """The data that one mapping exchanges, with directions and Salesforce names."""

    name: str
    """The name of the mapping, which is that of its file."""
    file: str
    object: str
    match: Literal["user", "group"]
    direction: Literal["both", "to_appcues", "to_salesforce"]
    delivery: Literal["relay", "connector"]
    developer_name: str
    """The name of the mapping's outbound message, flow and workflow rule."""
    user_id: FieldUse
    source: FieldUse | None = None
    """The number field from which the user ID field is generated."""
    former_names: tuple[str, ...] = ()
    """The names that the mapping had before (`moved.mappings`)."""
    attributes: tuple[FieldUse, ...] = ()
    targets: tuple[FieldTarget, ...] = ()
    activities: tuple[EventUse, ...] = ()
    click_to_track: tuple[EventUse, ...] = ()
    activity_object: str | None = None
    """The object of activities: Event, Task or the custom object; None without activities."""
    link_field: str = ""
    """The field of an activity that refers to the mapped record."""
    logs_items: bool = False
    """Whether activities have separate fields for the event and its flow, survey, checklist or goal."""
    several: Literal["park", "newest"] = "park"
    """How an event is handled if several records have its user ID."""
    follows_conversion: bool = True
    """Whether events of a converted lead are written to its contact."""
    where: tuple[Condition, ...] = ()
    """The conditions that records must match (`where`); all records if empty."""
    on: frozenset[str] = field(default_factory=frozenset)
    trigger: Literal["flow", "workflow_rule"] = "flow"
    sends: bool = False
    """Whether records are sent to Appcues."""
    receives: bool = False
    """Whether Appcues events are written to Salesforce."""
    endpoint: str = ""
    """The URL for outbound messages, without the version and with the secret as a placeholder."""
    positions: Mapping[ConfigPath, Position] = field(default_factory=dict, repr=False)

    @property
    def by_relay(self) -> bool:
        """Whether the relay delivers, and not Appcues' connector."""
        return self.delivery == "relay"

    @property
    def message_fields(self) -> tuple[str, ...]:
        """The fields of the outbound message, sorted, without duplicates."""
        return tuple(sorted({"Id", "SystemModstamp", self.user_id.field, *(use.field for use in self.attributes)}))

    @property
    def names(self) -> tuple[str, ...]:
        """The present name and the former names, in lower case: names of mappings are equal in any case."""
        return tuple(dict.fromkeys(name.lower() for name in (self.name, *self.former_names)))

    @property
    def message_version(self) -> str:
        """The short hash of the message's fields, which the endpoint carries as `?v=`."""
        return message_version(self.message_fields)

    @property
    def endpoint_url(self) -> str:
        """The URL for outbound messages, with the secret as a placeholder."""
        return f"{self.endpoint}?v={self.message_version}"

    @property
    def watched_fields(self) -> tuple[str, ...]:
        """
        The fields whose change sends a message, sorted.

        A generated user ID is a formula, so its source field is used instead.
        """
        fields: set[str] = set()
        for name in (self.user_id.field, *(use.field for use in self.attributes)):
            if self.source is not None and name == self.user_id.field:
                fields.add(self.source.field)
            else:
                fields.update(NAME_PARTS.get((self.object, name), (name,)))
        fields.update(condition.compared_field for condition in self.where)
        return tuple(sorted(fields - UNWATCHED_FIELDS))

    @property
    def id_condition(self) -> str:
        """
        The SOQL condition that a record has a user ID.

        The number field behind a formula can have an index. The formula cannot, so a condition on it reads every record.
        """
        return f"{self.source.field if self.source else self.user_id.field} != null"

    @property
    def activities_place(self) -> Place | None:
        """The place of the activities in the mapping; None if it has none."""
        if not (self.activities or self.click_to_track):
            return None
        return self.place("to_salesforce", "activities" if self.activities else "click_to_track")

    def place(self, *path: str | int) -> Place:
        """Return the place of a key of the mapping's file."""
        return place_at(self.positions, *path)

    def created_fields(self) -> Iterator[Field]:
        """Yield the fields of the object that this mapping creates."""
        if self.source is not None:
            yield Field(self.user_id.field, "string", custom=True, calculated=True, updateable=False)
        for target in self.targets:
            if target.create:
                yield Field(target.field, target.value.created.type, custom=True)


def message_version(fields: Iterable[str]) -> str:
    """
    Return the short hash of a field list, which the endpoint carries as `?v=`.

    The relay compares it to detect messages from another field list. Only with the same list a field that
    is missing from a message is known to be empty.
    """
    return hashlib.sha256("\n".join(sorted(set(fields))).encode()).hexdigest()[:8]
