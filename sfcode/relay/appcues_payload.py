"""
Find attributes in the payload of an Appcues event.

The payload of Appcues' webhooks is not published in full. The parts that are known from its SDKs and
from exports are looked through in the order in which they are most about the event itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]


def attribute(event: Object, name: str) -> Any:
    """
    Return an attribute of an event by name; None where it has none.

    What Appcues adds by itself, such as `currentPageUrl`, begins with an underscore and belongs to
    the user; so a name that is found nowhere is looked for with an underscore before it.
    """
    names = (name,) if name.startswith("_") else (name, f"_{name}")
    for key in names:
        for place in _places(event):
            if place.get(key) is not None:
                return place[key]
    return None


def _places(event: Object) -> Iterator[Object]:
    attributes = _object(event, "attributes")
    yield attributes
    yield _object(attributes, "_identity")
    yield _object(event, "identity")
    yield _object(event, "context")
    yield _object(attributes, "user")
    yield _object(event, "user")
    yield event


def _object(parent: Object, key: str) -> Object:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}
