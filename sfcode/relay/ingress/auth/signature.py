"""HMAC signatures, as the config describes them: Appcues does not publish its scheme."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import DEFAULT_TOLERANCE, WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches_any, reveal_all, sign_with_each, single_header
from sfcode.relay.ingress.timestamps import parse_time
from sfcode.secret import Secret

_PLACE = re.compile(r"(\{body\}|\{timestamp\}|\{id\})")
_HEX = re.compile(r"([0-9a-fA-F]{2})+")


class Hmac:
    """Checks an HMAC in a header."""

    challenge = "Signature"
    in_path = False
    signs_body = True

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret], id_header: str | None) -> None:
        self._auth = auth
        self._id_header = id_header or ""
        self._secrets = secrets
        self._parts = _PLACE.split(auth.signed or "{body}")

    def check_head(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Check that there is a signature, and that it is recent."""
        if not self._signature(request):
            return "signature_missing"
        if self._auth.timestamp_header is None:
            return ""
        time = parse_time(single_header(request.headers, self._auth.timestamp_header))
        if time is None:
            return "timestamp_missing"
        away = abs(now - time.timestamp())
        return "timestamp_too_far" if away > (self._auth.tolerance or DEFAULT_TOLERANCE) else ""

    def check_body(self, request: Request, body: bytes) -> str:
        """Compare the signature in the header with the signature of the body."""
        timestamp = single_header(request.headers, self._auth.timestamp_header or "")
        id_ = single_header(request.headers, self._id_header)
        filled = {"{body}": body, "{timestamp}": timestamp.encode("latin-1"), "{id}": id_.encode("latin-1")}
        parts = [filled.get(part, part.encode()) for part in self._parts]
        signatures = sign_with_each(reveal_all(self._secrets), parts, self._auth.algorithm or "sha256")
        return "" if matches_any(self._signature(request), signatures) else "signature_wrong"

    def _signature(self, request: Request) -> bytes:
        text, prefix = single_header(request.headers, self._auth.header or ""), self._auth.prefix or ""
        if not text.startswith(prefix):
            return b""
        text = text.removeprefix(prefix)
        if self._auth.encoding == "base64":
            return base64_bytes(text)
        return bytes.fromhex(text) if _HEX.fullmatch(text) else b""
