"""Read the state of one record from a message: values in the form that Appcues accepts, and empty attributes."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.appcues.mapping_view import MappingView
from sfcode.relay.appcues.values import InvalidValueError, Value, convert, normalize_time
from sfcode.relay.message import ClaimedMessage, Parked

NO_PATHS = frozenset({".", ".."})
"""IDs that no URL can contain, escaped or not, since clients resolve them as path segments."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """The state of a record in a message."""

    view: MappingView
    record_id: str
    stamp: str
    """The time of the record's last change, in a form that sorts by time; "" if the message does not contain it."""
    values: Mapping[str, Value]
    """Values by attribute."""
    empty: frozenset[str]
    """Attributes that have no value in the record, as far as the message shows."""
    complete: bool
    """Whether the record was read from the API, where an empty field is null and a field without access is an error."""
    bad: Mapping[str, str] = field(default_factory=dict)
    """Attributes whose values do not have their type, with the reasons."""
    unlisted: frozenset[str] = frozenset()
    """Empty attributes whose field has a value for which `map` sends nothing; such a field is readable."""
    unknown: frozenset[str] = frozenset()
    """Fields with a value whose type is not known yet."""


def read(message: ClaimedMessage, mapping_views: Mapping[str, MappingView], profile_id: str) -> RecordState | Parked:
    """
    Read the record state from a message of a profile; Parked if the message cannot be delivered.

    A field that is missing from a message counts as empty only if the message was made from the field list that this
    mapping has now, and contains both ID and time: a deleted record, a user without access and an unfinished
    deployment would look the same otherwise.
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
    has_all_fields = payload.get("version") == view.version and bool(stamp) and record.get(view.user_id) == profile_id
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
        elif attribute.field in record if complete else has_all_fields:
            empty.add(attribute.name)
    return RecordState(
        view, record["Id"], stamp, values, frozenset(empty), complete, bad, frozenset(unlisted), frozenset(unknown)
    )
