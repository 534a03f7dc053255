"""Helpers of several checks: names, lengths, and messages of the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.metadata.component import Body


def too_long(body: Body, limits: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """Check lengths; each limit states the element, its name in the message, and the maximum of characters."""
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
    """Return the entries of a keyed element."""
    entries = body.get(element)
    return entries if isinstance(entries, Mapping) else {}


def find_repeated(body: Body, element: str, key: str) -> Iterator[str]:
    """Return the keys that occur more than once in a keyed element, which stays a list in that case."""
    entries = body.get(element)
    names: set[str] = set()
    for entry in entries if isinstance(entries, list) else ():
        name = str(entry.get(key)) if isinstance(entry, Mapping) else ""
        if name in names:
            yield f"Field:{key}, value:{name} appears more than once"
        names.add(name)
