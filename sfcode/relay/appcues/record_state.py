"""Read the state of one record from a message: values as Appcues takes them, and empty attributes."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.appcues.mapping_view import MappingView
from sfcode.relay.appcues.values import InvalidValueError, Value, convert, normalize_time
from sfcode.relay.message import ClaimedMessage, Parked

NO_PATHS = frozenset({".", ".."})
"""Ids that no address can hold, escaped or not: on the way they would be taken for the folder above."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """The state of a record in a message."""

    view: MappingView
    record_id: str
    stamp: str
    """When the record was last changed, so that texts compare as times do; "" where the message does not say."""
    values: Mapping[str, Value]
    """By attribute."""
    empty: frozenset[str]
    """Attributes that have no value in the record, as far as the message can tell."""
    complete: bool
    """Whether it holds nulls as such: read from the API, where a field without access is an error."""
    bad: Mapping[str, str] = field(default_factory=dict)
    """Attributes whose values do not have their type, with the reasons."""
    unlisted: frozenset[str] = frozenset()
    """Empty attributes whose field has a value that `map` translates to none, so that the field is readable."""
    unknown: frozenset[str] = frozenset()
    """Fields with a value whose type is not known yet."""


def read(message: ClaimedMessage, mapping_views: Mapping[str, MappingView], profile_id: str) -> RecordState | Parked:
    """
    Read a message about the record of a profile; Parked where it cannot be delivered.

    A field that is missing from a message is an empty one only where the message was made from the field list that this
    mapping has now, and has both id and time: a record that was deleted, a user without access and a roll-out
    that is half done look the same otherwise.
    """
    payload = message.payload
    view, record = mapping_views.get(str(payload.get("mapping")).lower()), payload.get("record")
    if view is None:
        return Parked("no_mapping", f"no mapping {message.kind} sends to Appcues")
    if not isinstance(record, Mapping) or not isinstance(record.get("Id"), str):
        return Parked("no_data", "the message holds no record")
    if profile_id in NO_PATHS:
        return Parked("bad_user_id", "the ID consists of dots only, which a URL cannot contain")
    values: dict[str, Value] = {}
    bad: dict[str, str] = {}
    empty: set[str] = set()
    unlisted: set[str] = set()
    unknown: set[str] = set()
    stamp = normalize_time(record.get("SystemModstamp"))
    complete = payload.get("complete") is True
    speaks = payload.get("version") == view.version and bool(stamp) and record.get(view.user_id) == profile_id
    for attribute in view.attributes:
        field_value = record.get(attribute.field)
        if attribute.kind is None and field_value is not None and field_value != "":
            unknown.add(attribute.field)
            continue
        try:
            value = convert(field_value, attribute.kind or "string", numeric=attribute.numeric, values=attribute.values)
        except InvalidValueError as error:
            bad[attribute.name] = str(error)
            continue
        if value is not None:
            values[attribute.name] = value
        elif field_value is not None and field_value != "":
            empty.add(attribute.name)
            unlisted.add(attribute.name)
        elif attribute.field in record if complete else speaks:
            empty.add(attribute.name)
    return RecordState(
        view, record["Id"], stamp, values, frozenset(empty), complete, bad, frozenset(unlisted), frozenset(unknown)
    )
