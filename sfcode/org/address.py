"""Validate and normalize URLs of orgs."""

from __future__ import annotations

from urllib.parse import urlsplit

from sfcode.errors import SignInError
from sfcode.hosts import is_loopback

EXAMPLE = "https://yourcompany.my.salesforce.com"


def normalize_url(text: str, label: str = "instance URL") -> str:
    """
    Return an org's URL reduced to scheme, host and port.

    A token is only ever sent over TLS; plain http is for the local org on this machine.

    Raises:
        SignInError: The text is not a URL, contains credentials, is not encrypted, or is not the URL of the API.

    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise SignInError(f"The {label} {text!r} is not a URL.", f"Write it like {EXAMPLE}") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http") or not host:
        raise SignInError(f"The {label} {text!r} is not a URL.", f"Write it like {EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        # The URL is not part of the message, since the part before the @ may be a password.
        raise SignInError(
            f"The {label} for {host} contains a user name or password.", "Put the token into SF_ACCESS_TOKEN instead."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise SignInError(
            f"The {label} http://{host} is not encrypted.", "Use https://; http:// is accepted for this machine only."
        )
    if host.endswith(".lightning.force.com"):
        raise SignInError(
            f"{host} is the URL of the user interface, not of the API.",
            f"Use https://{host.removesuffix('.lightning.force.com')}.my.salesforce.com",
        )
    name = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, usual) else "")
