"""Schemes in which the sender shows a token that both sides know."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches, only, values
from sfcode.relay.ingress.client_address import is_local
from sfcode.secret import Secret

_CHALLENGES = {"bearer": "Bearer", "basic": 'Basic realm="sfcode relay", charset="UTF-8"'}


class LocalOnly:
    """No token: for programs on this machine."""

    challenge = "Token"
    in_path = False

    def before(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (a scheme's)
        """Refuse what comes from elsewhere."""
        return "" if is_local(request) else "not_local"

    def after(self, request: Request, body: bytes) -> str:  # noqa: ARG002 (a scheme's)
        """Find nothing to add."""
        return ""


class Token:
    """A token in the path, in a header, as a bearer, or as a password."""

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret]) -> None:
        self._auth = auth
        self._secrets = secrets
        self.challenge = _CHALLENGES.get(auth.scheme, "Token")
        self.in_path = auth.scheme == "path"

    def before(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (a scheme's)
        """Compare the token."""
        given = self._given(request, path_token)
        if not given:
            return "token_missing"
        wanted = values(self._secrets)
        if self._auth.scheme == "basic":
            wanted = [secret if b":" in secret else given.partition(b":")[0] + b":" + secret for secret in wanted]
        return "" if matches(given, wanted) else "token_wrong"

    def after(self, request: Request, body: bytes) -> str:  # noqa: ARG002 (a scheme's)
        """Find nothing to add."""
        return ""

    def _given(self, request: Request, path_token: str) -> bytes:
        if self.in_path:
            return path_token.encode("utf-8", "surrogatepass")
        if self._auth.scheme == "header":
            return only(request.headers, self._auth.header or "").encode("latin-1")
        kind, _, value = only(request.headers, "authorization").partition(" ")
        if kind.lower() != self._auth.scheme:
            return b""
        return base64_bytes(value.strip()) if self._auth.scheme == "basic" else value.strip().encode("latin-1")
