"""Schemes with a shared token."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from sfcode.config.relay_models import WebhookAuth
from sfcode.relay.ingress.auth.scheme import base64_bytes, matches_any, reveal_all, single_header
from sfcode.relay.ingress.client_address import is_local
from sfcode.secret import Secret

_CHALLENGES = {"bearer": "Bearer", "basic": 'Basic realm="sfcode relay", charset="UTF-8"'}


class LocalOnly:
    """Accepts programs on this machine without a token, and nobody else."""

    challenge = "Token"
    in_path = False
    signs_body = False

    def check_head(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Refuse requests from other machines."""
        return "" if is_local(request) else "not_local"

    def check_body(self, request: Request, body: bytes) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Return "", since the scheme does not use the body."""
        return ""


class Token:
    """Checks a token in the path, in a header, as a bearer, or as a password."""

    signs_body = False

    def __init__(self, auth: WebhookAuth, secrets: Sequence[Secret]) -> None:
        self._auth = auth
        self._secrets = secrets
        self.challenge = _CHALLENGES.get(auth.scheme, "Token")
        self.in_path = auth.scheme == "path"

    def check_head(self, request: Request, path_token: str, now: float) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Compare the presented token with the valid ones."""
        token = self._presented_token(request, path_token)
        if not token:
            return "token_missing"
        secrets = reveal_all(self._secrets)
        if self._auth.scheme == "basic":
            secrets = [secret if b":" in secret else token.partition(b":")[0] + b":" + secret for secret in secrets]
        return "" if matches_any(token, secrets) else "token_wrong"

    def check_body(self, request: Request, body: bytes) -> str:  # noqa: ARG002 (the interface of AuthScheme)
        """Return "", since the scheme does not use the body."""
        return ""

    def _presented_token(self, request: Request, path_token: str) -> bytes:
        if self.in_path:
            return path_token.encode("utf-8", "surrogatepass")
        if self._auth.scheme == "header":
            return single_header(request.headers, self._auth.header or "").encode("latin-1")
        kind, _, value = single_header(request.headers, "authorization").partition(" ")
        if kind.lower() != self._auth.scheme:
            return b""
        return base64_bytes(value.strip()) if self._auth.scheme == "basic" else value.strip().encode("latin-1")
