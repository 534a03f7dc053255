"""
Redact the responses of an org: values are replaced by their kinds.

Names of keys, codes, messages and flags are kept, since they describe the behavior of the org. Texts, IDs, addresses, times
and numbers are replaced by `<text>`, `<id>`, `<url>`, `<email>`, `<time>` and `<number>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

LONGEST_LIST = 2
"""The number of items of a list that are kept, since further ones add no information."""

KEPT = frozenset({"errorCode", "statusCode", "fields", "faultcode", "problemType", "componentType", "state", "status"})
"""Keys whose values describe the behavior of an org and identify nobody."""
SCRUBBED = frozenset({"message", "problem", "faultstring", "error", "error_description", "stateDetail"})
"""Keys whose values are sentences, in which IDs and addresses are replaced."""

ID = re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")
EMAIL = re.compile(r"[^\s@'\"<>:;,()]+@[^\s@'\"<>:;,()]+\.\w+")
URL = re.compile(r"https?://[^\s'\"<>]+")
TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
NAME = re.compile(r"[A-Za-z_$][\w$ .:-]{0,79}")
"""Matches keys that are names: words that do not begin with a digit."""
EVENT = re.compile(r"appcues:\w+")
_KINDS = ((URL, "<url>"), (EMAIL, "<email>"), (TIME, "<time>"), (ID, "<id>"))
_OURS = re.compile(r"\S*sfcode\S*", re.IGNORECASE)


def scrub(text: str) -> str:
    """Return a sentence with addresses, people, times and IDs replaced; names of sfcode are kept."""
    for pattern, kind in _KINDS:
        text = pattern.sub(partial(_replace, kind), text)
    return text


def redact_webhook(body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    """
    Return a captured webhook without its values, with keys, kinds of values, names of Appcues' events and shapes of headers.

    The texts of a webhook may be written by people, so no value is kept, whatever its key.
    """
    return {"body": _redact(body, "", frozenset(), frozenset()), "headers": dict(headers)}


def _replace(kind: str, match: re.Match[str]) -> str:
    return match[0] if _OURS.fullmatch(match[0]) else kind


def redact_json(value: Any) -> Any:
    """Return a JSON value of an org's response with all values replaced by their kinds."""
    return _redact(value, "", KEPT, SCRUBBED)


def _redact(value: Any, key: str, kept_keys: Collection[str], scrubbed: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {_redact_key(name): _redact(item, name, kept_keys, scrubbed) for name, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, key, kept_keys, scrubbed) for item in value[:LONGEST_LIST]]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return "<number>"
    if key in kept_keys:
        return value
    return scrub(value) if key in scrubbed else _kind(value)


def _redact_key(name: str) -> str:
    """Return a key that is a name; for a key that is an ID or an address, return its kind."""
    return name if NAME.fullmatch(name) and not ID.fullmatch(name) else _kind(name)


def redact_body(body: bytes) -> Any:
    """Return the redacted body of a response: JSON values, or for XML the names of elements and the kept texts."""
    text = body.decode("utf-8", "replace")
    if not text.strip():
        return None
    try:
        return redact_json(json.loads(text))
    except ValueError:
        return _redact_xml(text) if text.lstrip().startswith("<") else "<text>"


def _redact_xml(text: str) -> Any:
    elements = re.findall(r"<(?:\w+:)?(\w+)(?:\s[^<>]*)?>([^<>]*)</", text)
    values = {name: value for name, value in elements if name in KEPT}
    values |= {name: scrub(value) for name, value in elements if name in SCRUBBED}
    return {"elements": sorted({name for name, _ in elements}), **values}


def _kind(text: str) -> str:
    if EVENT.fullmatch(text):
        return text
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(text)), "<text>")
