"""
Find events in the body of a webhook, and values in an event.

The payload of Appcues' webhooks is not published in full. The parts that are known from its SDKs and from exports are
searched in a fixed order, from the event itself outward; `appcues.webhook` sets other paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sfcode.config.webhook_models import WebhookPaths

Object = Mapping[str, Any]

PLACES: tuple[str, ...] = WebhookPaths().attributes
_ENVELOPES = ("data", "event", "payload")
_DEEPEST = 3


def attribute(event: Object, name: str, places: Sequence[str] = PLACES) -> Any:
    """
    Return an attribute of an event by name; None if the event does not have it.

    Attributes that Appcues adds by itself, such as `_currentPageUrl`, begin with an underscore and belong to the user.
    So a name that does not exist is searched again with an underscore before it.
    """
    names = (name,) if name.startswith("_") else (name, f"_{name}")
    for key in names:
        for holder in _holders(event, places):
            if holder.get(key) is not None:
                return holder[key]
    return None


def value_at(node: object, path: str) -> Any:
    """
    Return the value at a path of keys that are separated by dots; None if it does not exist.

    Keys may contain dots. A number selects an item of a list; without a number, the first item with the value is used.
    """
    if isinstance(node, list):
        first, _, tail = path.partition(".")
        if first.isdecimal() and first.isascii() and len(first) < 10:
            item = node[int(first)] if int(first) < len(node) else None
            return value_at(item, tail) if tail else item
        return next((value for item in node if (value := value_at(item, path)) is not None), None)
    if not isinstance(node, Mapping):
        return None
    if node.get(path) is not None:
        return node[path]
    for head, tail in _splits(path):
        if head in node and (value := value_at(node[head], tail)) is not None:
            return value
    return None


def merge_attributes(scopes: Iterable[Object], places: Sequence[str]) -> dict[str, Any]:
    """Return the attributes at some paths of an event and of its enclosing objects; for each name, the first value is used."""
    merged: dict[str, Any] = {}
    for scope in scopes:
        for place in places:
            holder = value_at(scope, place)
            if isinstance(holder, Mapping):
                merged = {**holder, **merged}
    return merged


Enclosed = tuple[object, tuple[Object, ...]]
"""An event and its enclosing objects, outermost first, each without the key that leads to the event."""


def find_events(body: object, webhook: WebhookPaths) -> Iterator[Enclosed]:
    """
    Yield the events of a body: one, several, or those in an envelope.

    A body without events is yielded itself.
    """
    for path in webhook.events or ():
        events = _descend(body, path, ())
        if events is not None:
            yield from events
            return
    if webhook.events:
        yield from ((item, ()) for item in (body if isinstance(body, list) else [body]))
    else:
        yield from _guess_events(body, webhook.name, (), 0)


def event_name(event: Object, paths: Sequence[str]) -> str:
    """Return the name of an event; "" if it has no name."""
    name = next((value for path in paths if (value := value_at(event, path)) is not None), None)
    return name if isinstance(name, str) and name.strip() else ""


def _descend(node: object, path: str, enclosing: tuple[Object, ...]) -> list[Enclosed] | None:
    """Return the values at a path, through all items of the lists on it; None if the path does not exist."""
    if isinstance(node, list):
        parts = [_descend(item, path, enclosing) for item in node]
        descendants = [enclosed for part in parts if part is not None for enclosed in part]
        return descendants if descendants or not node or any(part is not None for part in parts) else None
    if not path:
        return [(node, enclosing)]
    if not isinstance(node, Mapping):
        return None
    for head, tail in (*_splits(path), (path, "")):
        if head in node:
            siblings = {key: value for key, value in node.items() if key != head}
            found_below = _descend(node[head], tail, (*enclosing, siblings))
            if found_below is not None:
                return found_below
    return None


def _guess_events(body: object, names: Sequence[str], enclosing: tuple[Object, ...], depth: int) -> Iterator[Enclosed]:
    if isinstance(body, list) and depth < _DEEPEST:
        for item in body:
            if isinstance(item, dict):
                yield from _guess_events(item, names, enclosing, depth + 1)
            else:
                yield item, enclosing
        return
    key = _envelope_key(body, names) if isinstance(body, dict) and depth < _DEEPEST else None
    if key is None or not isinstance(body, dict):
        yield body, enclosing
        return
    siblings = {name: value for name, value in body.items() if name != key}
    yield from _guess_events(body[key], names, (*enclosing, siblings), depth + 1)


def _envelope_key(body: Object, names: Sequence[str]) -> str | None:
    """Return the key of an envelope's content; None if the body is itself an event."""
    if isinstance(body.get("events"), list):
        return "events"
    if event_name(body, names):
        return None
    return next((key for key in _ENVELOPES if isinstance(body.get(key), dict | list)), None)


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to divide a path into its first key and the rest."""
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]), ".".join(parts[length:])


def _holders(event: Object, places: Sequence[str]) -> Iterator[Object]:
    for place in places:
        holder = value_at(event, place)
        if isinstance(holder, Mapping):
            yield holder
    yield event
