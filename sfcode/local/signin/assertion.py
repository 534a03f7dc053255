"""
The assertion of the JWT bearer flow: issuer, subject, audience and expiry.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm has the claims.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from sfcode.local.errors import OAuthError

MILLISECONDS = 100_000_000_000
"""The number from which on a time is in milliseconds. The sf CLI writes such times, and an org accepts them."""


def public_key(pem: str) -> RSAPublicKey | None:
    """Load an RSA public key from a PEM certificate or key; None if there is none."""
    data = pem.encode()
    try:
        key = load_pem_x509_certificate(data).public_key() if b"CERTIFICATE" in data else load_pem_public_key(data)
    except ValueError:
        return None
    return key if isinstance(key, RSAPublicKey) else None


def decode_unverified(text: str) -> Mapping[str, Any]:
    """Read the claims without verifying them. Raises OAuthError."""
    try:
        claims: Mapping[str, Any] = jwt.decode(text, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    return claims


def verify(text: str, pem: str, audiences: Collection[str], now: datetime) -> str:
    """Verify an assertion and return its username. Raises OAuthError."""
    key = public_key(pem) if pem else None
    try:
        if key is None:
            raise jwt.InvalidKeyError
        # PyJWT verifies only the signature, since Salesforce has different rules for the times and the audience.
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
        claims = jwt.decode(text, key, algorithms=["RS256"], options=options)
    except (jwt.InvalidTokenError, jwt.InvalidKeyError):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    audience = claims.get("aud")
    addressed = {str(address).rstrip("/") for address in (audience if isinstance(audience, list) else [audience])}
    if not addressed & {address.rstrip("/") for address in audiences}:
        raise OAuthError("invalid_grant", "audience is invalid")
    if _seconds(claims.get("exp")) <= now.timestamp():
        raise OAuthError("invalid_grant", "expired authorization code")
    return str(claims.get("sub") or claims.get("prn") or "")


def _seconds(value: object) -> float:
    """Read `exp`, which some clients send as text; it is required."""
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    if not math.isfinite(number):
        return 0.0
    return number / 1000 if number > MILLISECONDS else number
