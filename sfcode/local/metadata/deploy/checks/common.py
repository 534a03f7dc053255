"""Helpers of several checks: names, lengths, and messages of the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.metadata.component import Body


def check_lengths(body: Body, limits: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """Check the lengths of elements; `limits` has the name of each in the message and its maximum, in characters."""
    for element, (label, longest) in limits.items():
        if len(str(body.get(element) or "")) > longest:
            yield f"Value too long for field: {label} maximum length is:{longest}"


def no_field(element: str, name: str) -> str:
    """Return the message for a field that does not exist."""
    return f"In field: {element} - no CustomField named {name} found"


def no_object(element: str, name: str) -> str:
    """Return the message for an object that does not exist."""
    return f"In field: {element} - no CustomObject named {name} found"


def get_entries(body: Body, element: str) -> Mapping[str, Any]:
    """Return the entries of a repeated element by their keys; an empty mapping if there are none."""
    entries = body.get(element)
    return entries if isinstance(entries, Mapping) else {}


def check_keys(body: Body, element: str, key: str) -> Iterator[str]:
    """Check that the keys of a repeated element are unique: with duplicates it is a list, and not a mapping by key."""
    entries = body.get(element)
    names: set[str] = set()
    for entry in entries if isinstance(entries, list) else ():
        name = str(entry.get(key)) if isinstance(entry, Mapping) else ""
        if name in names:
            yield f"Field:{key}, value:{name} appears more than once"
        names.add(name)
