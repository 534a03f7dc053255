"""The ID of the request that is being answered, which is part of logs, responses and histories."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

from structlog.types import EventDict

HEADER = b"x-request-id"
_SAFE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The ID of the present request; "" outside of requests."""


def choose_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the request ID from the sender or a proxy if it is safe to log, else a new one."""
    values = [value for name, value in headers if name == HEADER]
    if len(values) == 1 and _SAFE.fullmatch(values[0]):
        return values[0].decode("ascii")
    return secrets.token_hex(8)


def add_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the ID of the present request to a log line."""
    if current := request_id.get():
        event.setdefault("request_id", current)
    return event
