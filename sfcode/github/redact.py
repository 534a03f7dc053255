"""Remove secrets of this process from texts for GitHub."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sfcode.secret import Secret, scrub

SHORTEST = 8
"""The minimum length of a masked value: shorter ones are often ordinary words such as `test`."""

_SECRET_NAME = re.compile(r"(^|_)(SECRET|TOKEN|KEY|PASSWORD|AUTH_URL|CREDENTIALS?)(_|$)", re.IGNORECASE)
_PING = re.compile(r"(?<![\w`@/])@(?=[A-Za-z\d])")


def redact(text: str, environ: Mapping[str, str]) -> str:
    """
    Replace the value of every secret environment variable by asterisks.

    sfcode prints no secrets; this is a second safeguard, for messages of an org or a template.
    """
    values = {value.strip() for name, value in environ.items() if _SECRET_NAME.search(name)}
    longest_first = sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)
    return scrub(text, map(Secret, longest_first))


def defuse_mentions(text: str) -> str:
    """Prevent names in a config from becoming mentions, with a zero-width space after the @."""
    return _PING.sub("@\u200b", text)
