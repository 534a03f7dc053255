"""The common parts of all HTTP APIs of the local org: server, calls, responses, SOAP envelopes, fault injection."""

from __future__ import annotations

HOST = "127.0.0.1"
LOOPBACK = frozenset({HOST, "::1", "localhost"})
"""The addresses of this machine: the local org listens on them, and by default it sends only to them."""
