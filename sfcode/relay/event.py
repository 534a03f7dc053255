"""An event of Appcues, as a webhook brings it: where its attributes are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def attribute(event: Mapping[str, Any], name: str) -> Any:
    """
    Find an attribute of an event; None: it has none, or null.

    What belongs to the event itself comes first, then what Appcues says of the user and of the page.
    Appcues' own properties begin with `_` and are found without it: `currentPageUrl` in the texts of
    its help page is `_currentPageUrl` of the user's properties.
    """
    for key in (name, f"_{name}"):
        for holder in _holders(event):
            value = holder.get(key)
            if value is not None:
                return value
    return None


def _holders(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    attributes = event.get("attributes")
    if isinstance(attributes, Mapping):
        yield attributes
        if isinstance(attributes.get("_identity"), Mapping):
            yield attributes["_identity"]
    for name in ("identity", "context"):
        holder = event.get(name)
        if isinstance(holder, Mapping):
            yield holder
