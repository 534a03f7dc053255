"""
Standard Webhooks: id, time and body are signed together.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import DEFAULT_TOLERANCE, WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches, only, signatures
from sfcode.secret import Secret

ID = "webhook-id"
PREFIX = "whsec_"
SHORTEST_KEY = 24
"""Bytes, as the specification has it."""
_TIME = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 20


def key_of(secret: Secret) -> bytes:
    """Read the key of a secret: base64, with or without `whsec_` before it; empty where it is none."""
    return base64_bytes(secret.reveal().removeprefix(PREFIX))


class StandardWebhooks:
    """Three headers: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

    challenge = "Signature"
    in_path = False

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret]) -> None:
        self._keys = [key for key in map(key_of, secrets) if key]
        self._tolerance = auth.tolerance or DEFAULT_TOLERANCE

    def before(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (a scheme's)
        """Look for a signature that is not too old."""
        if not only(request.headers, ID) or not self._signatures(request):
            return "signature_missing"
        timestamp = only(request.headers, "webhook-timestamp")
        if not _TIME.fullmatch(timestamp):
            return "timestamp_missing"
        return "timestamp_too_far" if abs(now - int(timestamp)) > self._tolerance else ""

    def after(self, request: Request, body: bytes) -> str:
        """Sign id, time and body, and compare with each signature: a sender that changes keys sends several."""
        head = f"{only(request.headers, ID)}.{only(request.headers, 'webhook-timestamp')}."
        wanted = signatures(self._keys, [head.encode("latin-1"), body], "sha256")
        found = [matches(given, wanted) for given in self._signatures(request)]
        return "" if any(found) else "signature_wrong"

    def _signatures(self, request: Request) -> list[bytes]:
        given = only(request.headers, "webhook-signature").split(" ")[:_MOST_SIGNATURES]
        pairs = [each.partition(",") for each in given]
        return [base64_bytes(value) for version, _, value in pairs if version == "v1" and value]
