"""
What was delivered to one profile: per mapping and attribute, when the delivered record was changed.

It is one latest state per profile, so that records which share a profile, of whatever mapping, see each other's. It
grows with the attributes that the mappings have, and not with records or messages. It also has the values as they were
delivered last, so that they can be delivered once more where an older request may have arrived after them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sfcode.relay.appcues.values import Value
from sfcode.relay.message import LatestState


@dataclass(frozen=True, slots=True, order=True)
class DeliveredAttribute:
    """What one mapping delivered of one attribute."""

    stamp: str
    """When the record was changed that said it last."""
    given: bool
    """Whether that, as far as it was delivered, is a value: then an empty field takes the attribute away."""
    written: str = ""
    """When the record was changed of which the profile got a value, or lost it, the last time; "" for never."""


DeliveredState = Mapping[tuple[str, str], DeliveredAttribute]
"""By mapping and attribute."""


def name(key: str) -> str:
    """Name the latest state of a profile, such as `user:1001`."""
    return f"profile:{key}"


def profile_key(name: str) -> str:
    """Return the key of the profile that a latest state is about."""
    return name.removeprefix("profile:")


def read(latest: LatestState | None) -> dict[tuple[str, str], DeliveredAttribute]:
    """Parse the delivered state of a profile."""
    groups, _ = _parse(latest)
    return {
        (mapping, attribute): DeliveredAttribute(stamp, bool(given), written)
        for mapping, stamp, given, written, attributes in groups
        for attribute in attributes
    }


def read_values(latest: LatestState | None) -> dict[str, Value]:
    """Parse the values that a profile got last, by attribute; null for one that was taken away."""
    _, values = _parse(latest)
    return dict(values)


def _parse(latest: LatestState | None) -> tuple[Sequence[Any], Mapping[str, Value]]:
    """Return the groups of attributes and the values; earlier versions kept no values."""
    found = json.loads(latest.value) if latest else []
    return (found, {}) if isinstance(found, list) else (found["groups"], found["values"])


def latest(key: str, notes: DeliveredState, values: Mapping[str, Value]) -> LatestState | None:
    """Serialize the delivered state of a profile, grouped by time; None for an empty one."""

    def alike(each: tuple[tuple[str, str], DeliveredAttribute]) -> tuple[str, DeliveredAttribute]:
        (mapping, _), note = each
        return mapping, note

    groups = [
        (mapping, note.stamp, int(note.given), note.written, sorted(attribute for (_, attribute), _ in each))
        for (mapping, note), each in groupby(sorted(notes.items(), key=alike), key=alike)
    ]
    if not groups and not values:
        return None
    newest = max((note.stamp for note in notes.values()), default="")
    state = {"groups": groups, "values": dict(sorted(values.items()))}
    return LatestState(name(key), newest, json.dumps(state, separators=(",", ":"), ensure_ascii=False))


def written(notes: DeliveredState, attribute: str, mappings: Iterable[str]) -> str:
    """Return when the record was changed from which one of these mappings last wrote an attribute."""
    return max((note.written for each in mappings if (note := notes.get((each, attribute)))), default="")
