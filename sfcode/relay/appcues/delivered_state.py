"""
What was delivered to one profile: per mapping and attribute, when the delivered record was changed.

It is one latest state per profile, so that records which share a profile, of whatever mapping, see each other's. It
grows with the attributes that the mappings have, and not with records or messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

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


def read(latest: LatestState | None) -> dict[tuple[str, str], DeliveredAttribute]:
    """Parse the delivered state of a profile."""
    groups = json.loads(latest.value) if latest else []
    return {
        (mapping, attribute): DeliveredAttribute(stamp, bool(given), written)
        for mapping, stamp, given, written, attributes in groups
        for attribute in attributes
    }


def latest(key: str, notes: DeliveredState) -> LatestState | None:
    """Serialize the delivered state of a profile, grouped by time; None for an empty one."""

    def alike(each: tuple[tuple[str, str], DeliveredAttribute]) -> tuple[str, DeliveredAttribute]:
        (mapping, _), note = each
        return mapping, note

    groups = [
        (mapping, note.stamp, int(note.given), note.written, sorted(attribute for (_, attribute), _ in each))
        for (mapping, note), each in groupby(sorted(notes.items(), key=alike), key=alike)
    ]
    if not groups:
        return None
    newest = max(note.stamp for note in notes.values())
    return LatestState(name(key), newest, json.dumps(groups, separators=(",", ":"), ensure_ascii=False))


def written(notes: DeliveredState, attribute: str, mappings: Iterable[str]) -> str:
    """Return when the record was changed from which one of these mappings last wrote an attribute."""
    return max((note.written for each in mappings if (note := notes.get((each, attribute)))), default="")
