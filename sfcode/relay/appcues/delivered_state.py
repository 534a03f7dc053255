"""
The delivered state of one profile: for each object and attribute, when the delivered record was changed.

There is one state for each profile, so that records of any object which share a profile know each other's deliveries,
and a mapping can be renamed. The size of a state depends on the number of attributes, not on the number of records or
messages. The state also contains the delivered values, so that they can be delivered again if an older request may have
arrived later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.appcues.mapping_view import MappingView
from sfcode.relay.appcues.values import Value
from sfcode.relay.message import LatestState

NO_VIEWS: Mapping[str, MappingView] = {}


@dataclass(frozen=True, slots=True, order=True)
class DeliveredAttribute:
    """The latest delivery of one attribute by the records of one object."""

    stamp: str
    """The time of the last change of the record that delivered the attribute."""
    has_value: bool
    """Whether the record delivered a value. If it did, an empty field later removes the attribute."""
    written: str = ""
    """The time of the change whose value, or null, was last written to the profile; "" for never."""


DeliveredState = Mapping[tuple[str, str], DeliveredAttribute]
"""Deliveries by object (in lower case) and attribute."""


def name(key: str) -> str:
    """Return the name of the latest state of a profile, whose key is for example `user:1001`."""
    return f"profile:{key}"


def profile_key(name: str) -> str:
    """Return the key of the profile that a latest state belongs to."""
    return name.removeprefix("profile:")


def read(
    latest: LatestState | None, mapping_views: Mapping[str, MappingView] = NO_VIEWS
) -> dict[tuple[str, str], DeliveredAttribute]:
    """
    Parse the delivered state of a profile.

    Earlier versions stored it by mapping and not by object; `mapping_views` has the objects of the mappings.
    """
    groups, _, is_by_mapping = _parse(latest)
    owners = {name: view.object_key for name, view in mapping_views.items()} if is_by_mapping else {}
    attributes_read: dict[tuple[str, str], DeliveredAttribute] = {}
    for owner, stamp, has_value, written_at, attributes in groups:
        for attribute in attributes:
            key, note = (
                (owners.get(owner.lower(), owner), attribute),
                DeliveredAttribute(stamp, bool(has_value), written_at),
            )
            attributes_read[key] = max(note, attributes_read.get(key, note))
    return attributes_read


def read_values(latest: LatestState | None) -> dict[str, Value]:
    """Parse the values that were last written to a profile, by attribute; null for a removed attribute."""
    return dict(_parse(latest)[1])


def _parse(latest: LatestState | None) -> tuple[Sequence[Any], Mapping[str, Value], bool]:
    """Return the groups of attributes, the values, and whether the groups are by mapping; the first version kept no values."""
    document = json.loads(latest.value) if latest else []
    if isinstance(document, list):
        return document, {}, True
    return (
        (document["objects"], document["values"], False)
        if "objects" in document
        else (document["groups"], document["values"], True)
    )


def latest(key: str, delivered_state: DeliveredState, values: Mapping[str, Value]) -> LatestState | None:
    """Serialize the delivered state of a profile, grouped by time; None for an empty one."""

    def group_key(item: tuple[tuple[str, str], DeliveredAttribute]) -> tuple[str, DeliveredAttribute]:
        (owner, _), note = item
        return owner, note

    objects = [
        (owner, note.stamp, int(note.has_value), note.written, sorted(attribute for (_, attribute), _ in group))
        for (owner, note), group in groupby(sorted(delivered_state.items(), key=group_key), key=group_key)
    ]
    if not objects and not values:
        return None
    newest = max((note.stamp for note in delivered_state.values()), default="")
    # Processes of the previous version read `groups`, and may run at the same time.
    state = {"groups": [], "objects": objects, "values": dict(sorted(values.items()))}
    return LatestState(name(key), newest, json.dumps(state, separators=(",", ":"), ensure_ascii=False))


def newest_write(delivered_state: DeliveredState, attribute: str, objects: Iterable[str]) -> str:
    """Return the time of the newest record change of these objects that was written to an attribute; "" for none."""
    return max((note.written for owner in objects if (note := delivered_state.get((owner, attribute)))), default="")
