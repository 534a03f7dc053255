"""Validate the relay's URL."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from sfcode.config.fields import ConfigValueError
from sfcode.hosts import is_loopback

OUTBOUND_PORTS = "80, 443 and 1024 to 65535"
"""Ports to which Salesforce sends outbound messages (SOAP API Developer Guide, Outbound Messaging)."""

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")

_NO_SECRET = ("must not contain a secret", "the URL is public; its secret part is relay.outbound_secret")
_PATH = re.compile(r"[A-Za-z0-9._~!&'()*+,;=:@/%-]*")


def check_network(value: object) -> object:
    """Validate a network, or a single address."""
    if not isinstance(value, str):
        return value
    try:
        ipaddress.ip_network(value)
    except ValueError:
        hint = "write an address or a network, like 203.0.113.7 or 10.0.0.0/8"
        with contextlib.suppress(ValueError):
            hint = f"write {ipaddress.ip_network(value, strict=False)}, the network of this address"
        raise ConfigValueError("url", what="is not a network", hint=hint) from None
    return value


def check_relay_url(value: object) -> object:
    """Validate the URL and remove trailing slashes."""
    if not isinstance(value, str):
        return value
    try:
        wrong = _NO_SECRET if "${" in value else _wrong(value, urlsplit(value))
    except ValueError:
        wrong = ("is not an address", "write it like https://relay.example.com")
    if wrong:
        raise ConfigValueError("url", what=wrong[0], hint=wrong[1])
    return value.rstrip("/")


def _wrong(value: str, parts: SplitResult) -> tuple[str, str] | None:
    host, port = parts.hostname or "", parts.port
    http, local = parts.scheme in ("http", "https"), is_loopback(host)
    reachable = port in (None, 80, 443) or port >= 1024
    is_well_formed = _PATH.fullmatch(parts.path) and (_HOST.fullmatch(host) or ":" in host)
    example = "write it like https://relay.example.com"
    rules = (
        (not http or re.search(r"\s", value), "is not an http address", example),
        (
            "@" in parts.netloc,
            "must not contain a user or password",
            "remove them; secrets are set with relay.outbound_secret",
        ),
        ("?" in value or "#" in value, "must end with its path", "remove everything from ? or # on"),
        (not is_well_formed, "is not an address", example),
        (
            parts.scheme == "http" and not local,
            "must begin with https",
            "http is only possible for this machine (localhost)",
        ),
        (
            not reachable and not local,
            f"uses port {port}, which Salesforce does not send to",
            f"use one of the ports {OUTBOUND_PORTS}",
        ),
    )
    return next(((message, hint) for is_broken, message, hint in rules if is_broken), None)
