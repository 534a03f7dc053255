"""Classify hosts as this machine, private or public, without a DNS query."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: a loopback address, localhost or a name below it (RFC 6761)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_private(host: str) -> bool:
    """Return whether a host is reachable only within a network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host.rstrip(".") or host.endswith((".local", ".internal", ".lan"))
