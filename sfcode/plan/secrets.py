"""
Secrets in bodies: a placeholder everywhere, the value only in the package that is sent.

What the org answers holds values, ours or somebody else's. They are taken out before anything is
compared, printed or saved: a value that we know becomes its placeholder, any other value in a
place that is known to hold one becomes a keyed fingerprint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sfcode.metadata.component import Body, Component, Value

PLACEHOLDER = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")

SENSITIVE = {("WorkflowOutboundMessage", "endpointUrl")}
"""Attributes that hold a secret whether or not this project put one there."""


def names_in(value: Value) -> frozenset[str]:
    """Find the names of all placeholders in a body or value."""
    if isinstance(value, str):
        return frozenset(PLACEHOLDER.findall(value))
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return frozenset().union(*(names_in(part) for part in parts))


def fingerprint(value: str, key: str) -> str:
    """Return twelve hex digits that tell two secrets apart and cost too much to search backwards."""
    return hashlib.pbkdf2_hmac("sha256", value.encode(), f"sfcode:{key}".encode(), 100_000)[:6].hex()


def reveal(value: Value, secrets: Mapping[str, str]) -> Value:
    """Put the values in. Raises KeyError for a name that is not given."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: secrets[match[1]], value)
    if isinstance(value, Mapping):
        return {key: reveal(part, secrets) for key, part in value.items()}
    return [reveal(part, secrets) for part in value] if isinstance(value, list | tuple) else value


def revealed(component: Component, secrets: Mapping[str, str]) -> Component:
    """Return the component as it is sent."""
    return Component(
        component.type, component.full_name, {key: reveal(part, secrets) for key, part in component.body.items()}
    )


def masked(component: Component, secrets: Mapping[str, str], key: str, like: Body | None = None) -> Component:
    """
    Return the component as it may be shown: known values as placeholders, unknown ones as fingerprints.

    A secret is expected in the SENSITIVE attributes and wherever `like`, the body that is desired or
    was applied there, has a placeholder.
    """

    def mask(value: Value, alike: Value, *, sensitive: bool) -> Value:
        if isinstance(value, str):
            return _mask(value, secrets, key, sensitive=sensitive or bool(names_in(alike)))
        if isinstance(value, Mapping):
            other = alike if isinstance(alike, Mapping) else {}
            return {name: mask(part, other.get(name), sensitive=sensitive) for name, part in value.items()}
        return [mask(part, alike, sensitive=sensitive) for part in value] if isinstance(value, list | tuple) else value

    body = {
        name: mask(value, (like or {}).get(name), sensitive=(component.type, name) in SENSITIVE)
        for name, value in component.body.items()
    }
    return Component(component.type, component.full_name, body)


def _mask(text: str, secrets: Mapping[str, str], key: str, *, sensitive: bool) -> str:
    # A placeholder that stands in the org itself was deployed by some other tool: it is not the secret.
    if PLACEHOLDER.search(text):
        return _hide(text, key)
    known = text
    for name, secret in secrets.items():
        known = known.replace(secret, f"${{secret:{name}}}")
    return _hide(text, key) if sensitive and known == text else known


def _hide(text: str, key: str) -> str:
    """Keep of a URL what tells where it goes, of other text nothing; the rest may be a secret."""
    mark = f"(hidden {fingerprint(text, key)})"
    parts = urlsplit(text)
    if not (parts.scheme and parts.netloc):
        return mark
    host = parts.netloc.rpartition("@")[2]
    if parts.path in ("", "/") and not parts.query and not parts.fragment and host == parts.netloc:
        return text
    return f"{parts.scheme}://{host}/{mark}"
