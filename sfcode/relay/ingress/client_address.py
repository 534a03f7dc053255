"""Addresses of clients, directly or through trusted proxies."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from starlette.datastructures import Headers
from starlette.requests import Request

from sfcode.hosts import is_loopback_header

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TOLD_BY_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip")


@functools.lru_cache
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Parse networks of the config."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def is_within(address: Address | None, allowed: Sequence[Network]) -> bool:
    """Return whether an address is in one of some networks."""
    return address is not None and any(address in network for network in allowed)


def peer_address(request: Request) -> Address | None:
    """Return the address at the other end of the connection; None on a Unix socket."""
    return parse_address(request.client.host) if request.client else None


def original_address(request: Request, trusted: Sequence[Network]) -> Address | None:
    """
    Return the address that a request was first sent from, as far as trusted proxies report it.

    Every proxy appends the address of its client to X-Forwarded-For. So the header is read from the end, up to
    the first address that was not added by a trusted proxy.
    """
    current = peer_address(request)
    forwarded_for = [part for value in request.headers.getlist("x-forwarded-for") for part in value.split(",")]
    while forwarded_for and is_within(current, trusted):
        current = parse_address(forwarded_for.pop())
    return current


def is_local(request: Request) -> bool:
    """
    Return whether a request is from a program on this machine, with a loopback name as its Host.

    Requests of a web page in a browser on this machine, and requests through a proxy, are not.
    """
    address = peer_address(request)
    headers = request.headers
    return (
        address is not None
        and address.is_loopback
        and has_loopback_host(headers)
        and "origin" not in headers
        and not any(name in headers for name in _TOLD_BY_PROXIES)
    )


def name_client(address: Address | None) -> str:
    """Return the client of an address, for limits per client: a /64 network of IPv6 addresses is one client."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return "" if address is None else str(address)


def has_loopback_host(headers: Headers) -> bool:
    """Return whether the Host header is a usual name of this machine."""
    return is_loopback_header(headers.get("host", ""))


def parse_address(text: str) -> Address | None:
    """Parse an address, optionally with a port as some proxies write it; None if it is not an address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
