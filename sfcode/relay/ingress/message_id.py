"""Message ids: the sender's own, else a hash of the event's identity."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[\x21-\x7e]{1,200}")
"""IDs that Salesforce stores unchanged in an external ID field."""


def canonical(value: object) -> str:
    """Serialize JSON canonically: equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def normalize_id(text: str) -> str:
    """Return a sender's id, or its hash where it is too long or has characters that cannot be stored everywhere."""
    return text if _PLAIN.fullmatch(text) else digest(text)


def format_id(value: object) -> str:
    """Format the ID of an event; "" if the value is not an ID."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def content_id(event: Mapping[str, Any], name: str, user_id: str, stated: object) -> str:
    """
    Return an id made of name, user, time and attributes.

    An event that keeps its attributes beside its name has all of them hashed. Where there is no time
    either, two events that are alike in everything are one.
    """
    attributes = event.get("attributes")
    if attributes is None:
        attributes = {key: value for key, value in event.items() if key not in ("name", "user_id", "timestamp")}
    return digest([name, user_id, stated, attributes])
