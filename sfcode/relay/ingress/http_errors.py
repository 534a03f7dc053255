"""Saying no to a request: with which status, and why as a short name from this program and never from the request."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """A request is not accepted; nothing of it was stored."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None, *, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        """What the sender is told."""
        self.headers = dict(headers or {})
        self.detail = detail or reason
        """What is told to those who run the relay: a name that says more, where the sender should not know."""


def busy(seconds: int, detail: str = "busy") -> HttpError:
    """Say that the trouble is ours and passes."""
    return HttpError(503, "unavailable", {"Retry-After": str(seconds)}, detail=detail)
