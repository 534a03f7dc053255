"""The common parts of all HTTP APIs of the local org: server, calls, responses, SOAP envelopes, fault injection."""

from __future__ import annotations

from sfcode.hosts import LOOPBACK_NAMES

HOST = "127.0.0.1"
LOOPBACK = frozenset(name.strip("[]") for name in LOOPBACK_NAMES)
"""The addresses of this machine: the local org listens on them, and by default it sends only to them."""
