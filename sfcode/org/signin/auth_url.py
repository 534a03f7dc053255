"""SFDX auth URLs: `force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST`, as the sf CLI prints them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from sfcode.errors import SignInError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.address import normalize_url
from sfcode.secret import Secret

# The secret may be empty; the host has no scheme, which is always https.
PATTERN = re.compile(
    r"force://(?P<id>[\w.-]+={0,2}):(?P<secret>[\w.-]*={0,2}):(?P<token>[\w.!-]+={0,2})@(?P<host>[\w.:-]+)/?", re.ASCII
)


@dataclass(frozen=True)
class AuthUrl:
    """The parts of an auth URL."""

    client_id: str
    client_secret: Secret
    refresh_token: Secret
    instance_url: str


def parse(text: str, name: str) -> AuthUrl:
    """Parse an auth URL: plain, in the JSON that sf prints, or one of these in base64."""
    raw = text.strip()
    url = _find_url(raw) or _find_url(_decode(raw))
    match = PATTERN.fullmatch(url)
    if not match:
        raise SignInError(
            f"{name} contains no SFDX auth URL.",
            "It looks like force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST; "
            "`sf org auth show-sfdx-auth-url -o ALIAS` prints it for an org signed in to with `sf org login web`.",
        )
    return AuthUrl(
        client_id=match["id"],
        client_secret=Secret(match["secret"]),
        refresh_token=Secret(match["token"]),
        instance_url=normalize_url(f"https://{match['host']}", name),
    )


def _find_url(text: str) -> str:
    """Find the URL in a text: the text itself, or a value of sf's JSON."""
    if text.startswith("force://"):
        return text.strip()
    try:
        document: Any = json.loads(text)
    except ValueError:
        return ""
    result = document.get("result", document) if isinstance(document, dict) else None
    url = result.get("sfdxAuthUrl") if isinstance(result, dict) else None
    return url.strip() if isinstance(url, str) else ""


def _decode(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
