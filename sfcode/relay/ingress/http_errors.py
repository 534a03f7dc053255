"""Refusals of requests: a status and a reason, which is a short name and never text of the request."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """A request is refused; nothing of it was stored."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None, *, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        """The reason in the response."""
        self.headers = dict(headers or {})
        self.detail = detail or reason
        """The reason in log and metrics, which may be more specific than the response."""


def busy(seconds: int, detail: str = "busy") -> HttpError:
    """Return the refusal for temporary trouble of our own."""
    return HttpError(503, "unavailable", {"Retry-After": str(seconds)}, detail=detail)
