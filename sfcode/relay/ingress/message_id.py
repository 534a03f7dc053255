"""Message IDs: the sender's ID, else a hash of the event's identifying values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[\x21-\x7e]{1,200}")
"""Matches IDs that Salesforce stores unchanged in an external ID field."""


def canonical(value: object) -> str:
    """Serialize a JSON value canonically, so that equal values give equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def normalize_id(text: str) -> str:
    """Return a sender's ID, or its hash if the ID is too long or has characters that Salesforce may change."""
    return text if _PLAIN.fullmatch(text) else digest(text)


def format_id(value: object) -> str:
    """Format the ID of an event; "" if the value is not an ID."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def content_id(event: Mapping[str, Any], name: str, user_id: str, time: object) -> str:
    """
    Return an ID that is a hash of name, user, time and attributes.

    If an event has its attributes at the level of its name, all of them are hashed. Without a time,
    two events with equal values count as one event.
    """
    attributes = event.get("attributes")
    if attributes is None:
        attributes = {key: value for key, value in event.items() if key not in ("name", "user_id", "timestamp")}
    return digest([name, user_id, time, attributes])
