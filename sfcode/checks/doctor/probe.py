"""Probe the relay from this machine, without a secret, because its URL is public."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sfcode.checks.doctor.facts import ProbeFailure
from sfcode.errors import OrgError
from sfcode.org import Runtime

_CONFIG = re.compile(r"^config ([0-9a-f]+)$", re.MULTILINE)
PATIENCE = Runtime(connect_timeout=5.0, read_timeout=10.0, answer_timeout=15.0, max_answer_bytes=64 * 1024)


def probe(url: str, environ: Mapping[str, str], runtime: Runtime = PATIENCE) -> ProbeFailure | str:
    """Request `/healthz`; return the digest of the relay's config ("" if it is missing), or the problem."""
    from sfcode.org.retry import NoAnswer
    from sfcode.org.transport import http_session, translate_errors

    address = f"{url}/healthz"
    with http_session(url, environ, runtime) as session:
        try:
            with translate_errors(address):
                response = session.get(address)
        except NoAnswer as error:
            # Without a response, only a wrong certificate is a permanent problem.
            kind = "certificate" if error.permanent else "connection"
            return ProbeFailure(kind, error.message.rstrip("."))
        except OrgError as error:
            return ProbeFailure("health", error.message.rstrip("."))
    if response.status_code != 200:
        return ProbeFailure("health", f"{address} answers {response.status_code} {response.reason or ''}".rstrip())
    match = _CONFIG.search(response.text)
    return match[1] if match else ""
