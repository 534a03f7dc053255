"""A signature of the body by HMAC, as the config describes it: what Appcues signs with is not published."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import DEFAULT_TOLERANCE, WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches, only, signatures, values
from sfcode.relay.ingress.timestamps import moment
from sfcode.secret import Secret

_PLACE = re.compile(r"(\{body\}|\{timestamp\})")
_HEX = re.compile(r"([0-9a-fA-F]{2})+")


class Hmac:
    """A header holds the signature."""

    challenge = "Signature"
    in_path = False

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret]) -> None:
        self._auth = auth
        self._secrets = secrets
        self._parts = _PLACE.split(auth.signed or "{body}")

    def before(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (a scheme's)
        """Look for a signature that is not too old."""
        if not self._signature(request):
            return "signature_missing"
        if self._auth.timestamp_header is None:
            return ""
        time = moment(only(request.headers, self._auth.timestamp_header))
        if time is None:
            return "timestamp_missing"
        away = abs(now - time.timestamp())
        return "timestamp_too_far" if away > (self._auth.tolerance or DEFAULT_TOLERANCE) else ""

    def after(self, request: Request, body: bytes) -> str:
        """Sign the body and compare."""
        timestamp = only(request.headers, self._auth.timestamp_header or "")
        filled = {"{body}": body, "{timestamp}": timestamp.encode("latin-1")}
        parts = [filled.get(part, part.encode()) for part in self._parts]
        wanted = signatures(values(self._secrets), parts, self._auth.algorithm or "sha256")
        return "" if matches(self._signature(request), wanted) else "signature_wrong"

    def _signature(self, request: Request) -> bytes:
        text, prefix = only(request.headers, self._auth.header or ""), self._auth.prefix or ""
        if not text.startswith(prefix):
            return b""
        text = text.removeprefix(prefix)
        if self._auth.encoding == "base64":
            return base64_bytes(text)
        return bytes.fromhex(text) if _HEX.fullmatch(text) else b""
