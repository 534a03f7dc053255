"""Classify hosts as this machine, private or public, without a DNS query."""

from __future__ import annotations

import ipaddress

_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "100.100.100.200", "fd00:ec2::254"})
"""Hosts of metadata services besides 169.254.169.254: Google Cloud, Alibaba Cloud, Amazon EC2."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""The usual names of this machine in URLs and Host headers. `is_loopback` accepts further ones."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: a loopback address, localhost or a name below it (RFC 6761)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_loopback_header(header: str) -> bool:
    """
    Return whether a Host header is a usual name of this machine, with or without a port.

    A web page whose host name resolves to this machine (DNS rebinding) sends another name.
    """
    host, colon, port = header.rpartition(":")
    return (host if colon and port.isdigit() else header).lower() in LOOPBACK_NAMES


def is_private(host: str) -> bool:
    """Return whether a host is reachable only within a network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host.rstrip(".") or host.endswith((".local", ".internal", ".lan"))


def is_metadata_service(host: str) -> bool:
    """Return whether a host may be a cloud's metadata service, which returns credentials: link-local, or a known name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".").lower() in _METADATA_HOSTS
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_link_local or str(mapped or address) in _METADATA_HOSTS
