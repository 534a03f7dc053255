"""Describe a webhook's headers without their values, which may be secrets: `sha256=<64 hex>`."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_HEADERS = 20
LONGEST_SHAPE = 200

_EVERYDAY = re.compile(
    r"(accept|cf|content|sec|x-amzn|x-b3|x-cloud|x-envoy|x-forwarded|x-request)-.*"
    r"|accept|connection|date|expect|forwarded|host|keep-alive|traceparent|tracestate|transfer-encoding|upgrade"
    r"|user-agent|via|x-real-ip"
)
"""Headers of HTTP, proxies and tracing, which are left out."""
_TOKEN = re.compile(r"(?P<label>[A-Za-z][A-Za-z0-9_]{0,11}[=:])?(?P<value>[^\s,;]+)")
_SHAPES = (
    (re.compile(r"v[0-9]{1,2}"), ""),
    (re.compile(r"[0-9]+"), "digits"),
    (re.compile(r"([0-9a-fA-F]{2}){10,}"), "hex"),
    (re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}"), "base64"),
)


def describe_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the shapes of the headers that a sender adds, by name in lower case."""
    shapes = {name.lower(): describe_value(value) for name, value in headers if not _EVERYDAY.fullmatch(name.lower())}
    return dict(list(shapes.items())[:MOST_HEADERS])


def describe_value(value: str) -> str:
    """Return the shape of a header's value: its labels, and the kinds and lengths of their values."""
    return _TOKEN.sub(_describe_token, value)[:LONGEST_SHAPE]


def _describe_token(token: re.Match[str]) -> str:
    label, value = token["label"] or "", token["value"]
    kind = next((kind for pattern, kind in _SHAPES if pattern.fullmatch(value)), "characters")
    return f"{label}<{len(value)} {kind}>" if kind else f"{label}{value}"
