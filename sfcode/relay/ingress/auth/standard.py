"""
Standard Webhooks: ID, time and body are signed together.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import DEFAULT_TOLERANCE, WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches_any, sign_with_each, single_header
from sfcode.secret import Secret

ID = "webhook-id"
PREFIX = "whsec_"
SHORTEST_KEY = 24
"""The minimum length of a key in bytes, from the specification."""
_TIME = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 20


def key_of(secret: Secret) -> bytes:
    """Decode the key of a secret: base64, with or without `whsec_`; b"" if it is invalid."""
    return base64_bytes(secret.reveal().removeprefix(PREFIX))


class StandardWebhooks:
    """Checks the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`."""

    challenge = "Signature"
    in_path = False
    signs_body = True

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret]) -> None:
        self._keys = [key for key in map(key_of, secrets) if key]
        self._tolerance = auth.tolerance or DEFAULT_TOLERANCE

    def check_head(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Check that there is a signature, and that it is recent."""
        if not single_header(request.headers, ID) or not self._signatures(request):
            return "signature_missing"
        timestamp = single_header(request.headers, "webhook-timestamp")
        if not _TIME.fullmatch(timestamp):
            return "timestamp_missing"
        return "timestamp_too_far" if abs(now - int(timestamp)) > self._tolerance else ""

    def check_body(self, request: Request, body: bytes) -> str:
        """Compare the signature of ID, time and body with each one in the header, which has several during a rotation."""
        head = f"{single_header(request.headers, ID)}.{single_header(request.headers, 'webhook-timestamp')}."
        signatures = sign_with_each(self._keys, [head.encode("latin-1"), body], "sha256")
        matches = [matches_any(presented_signature, signatures) for presented_signature in self._signatures(request)]
        return "" if any(matches) else "signature_wrong"

    def _signatures(self, request: Request) -> list[bytes]:
        entries = single_header(request.headers, "webhook-signature").split(" ")[:_MOST_SIGNATURES]
        pairs = [entry.partition(",") for entry in entries]
        return [base64_bytes(value) for version, _, value in pairs if version == "v1" and value]
