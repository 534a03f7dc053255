"""HTTP as uvicorn speaks it, and one thing more: an application may close the connection without an answer."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT = "sfcode.abort"
"""The extension of a request's scope that does it."""


class AbortableProtocol(HttpToolsProtocol):
    """One connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"now": self.transport.abort}}
