"""Authenticate webhooks by the scheme of the config."""

from __future__ import annotations

from collections.abc import Sequence

from sfcode.config.relay_models import WebhookAuth
from sfcode.relay.ingress.auth import signature, standard, token
from sfcode.relay.ingress.auth.scheme import AuthScheme
from sfcode.secret import Secret

__all__ = ["Scheme", "scheme"]


def scheme(auth: WebhookAuth, secrets: Sequence[Secret], id_header: str | None = None) -> AuthScheme:
    """Return the configured scheme, with the valid secrets and the name of the header with message IDs."""
    if auth.scheme == "none":
        return token.LocalOnly()
    if auth.scheme == "hmac":
        return signature.Hmac(auth, secrets, id_header)
    if auth.scheme == "standard_webhooks":
        return standard.StandardWebhooks(auth, secrets)
    return token.Token(auth, secrets)
