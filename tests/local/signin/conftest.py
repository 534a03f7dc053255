"""An app, its key, and calls to the org's OAuth endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.local.conftest import NOON, HandClock, Rest
from tests.waiting import PATIENCE

ADMIN = "admin@northwind.example"
CALLBACK = "http://localhost:1717/OauthRedirect"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class KeyPair:
    """A key and its certificate, in PEM form."""

    private: str
    certificate: str


def key_pair() -> KeyPair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode())


@dataclass
class OAuth:
    """The OAuth endpoints of one org, and an app that is registered there."""

    rest: Rest
    clock: HandClock
    keys: KeyPair
    app: dict[str, Any]

    def register(self, **settings: Any) -> dict[str, Any]:
        """Register another app; return its row in the org."""
        answer = self.rest.session.post(f"{self.rest.org.url}/services/sfcode/apps", json=settings)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def post(self, endpoint: str, **form: Any) -> requests.Response:
        return requests.post(f"{self.rest.org.url}/services/oauth2/{endpoint}", data=form, timeout=PATIENCE)

    def token(self, **form: Any) -> dict[str, Any]:
        answer = self.post("token", **form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, **form: Any) -> tuple[str, str]:
        answer = self.post("token", **form)
        assert answer.status_code == 400
        return answer.json()["error"], answer.json()["error_description"]

    def assertion(self, private: str | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        claims_sent = {
            "iss": self.app["consumer_key"],
            "sub": ADMIN,
            "aud": self.rest.org.url,
            "exp": int(self.clock.now().timestamp()) + 180,
        } | claims
        return jwt.encode(claims_sent, private or self.keys.private, algorithm)

    def credentials(self, app: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
        app = app or self.app
        return {"client_id": app["consumer_key"], "client_secret": app["consumer_secret"], **parameters}

    def works(self, token: str) -> bool:
        """Return whether a token is accepted by the REST API; a refusal must be the org's own error."""
        address = f"{self.rest.org.url}/services/data/v62.0/sobjects"
        answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
        if answer.status_code == 200:
            return True
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
        return False


@pytest.fixture(scope="session")
def keys() -> KeyPair:
    """Create a key once, since that is slow."""
    return key_pair()


@pytest.fixture
def oauth(rest: Rest, clock: HandClock, keys: KeyPair) -> OAuth:
    """Register an app that is approved for the administrator."""
    oauth = OAuth(rest, clock, keys, {})
    oauth.app = oauth.register(
        name="App", certificate=keys.certificate, run_as=ADMIN, users=[ADMIN], callback_urls=[CALLBACK]
    )
    return oauth
