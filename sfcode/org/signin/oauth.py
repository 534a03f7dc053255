"""OAuth without a browser: JWT bearer, client credentials, refresh token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sfcode.errors import SignInError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.org import retry
from sfcode.org.options import Runtime
from sfcode.org.session import Grant
from sfcode.secret import Secret, scrub

Form: TypeAlias = dict[str, str | Secret]

LIFETIME = 180
"""Lifetime of an assertion in seconds: the shortest limit in Salesforce's documentation."""


@dataclass(frozen=True, kw_only=True)
class JwtBearer:
    """The JWT bearer flow: https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm ."""

    consumer_key: str
    key: Secret
    username: str
    audience: str
    token_url: str
    environ: Mapping[str, str] = field(repr=False)
    runtime: Runtime = field(repr=False)

    def __call__(self) -> Grant:
        """Sign an assertion and exchange it for a token."""
        assertion = self._assertion()
        form: Form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return request_token(self.token_url, form, self.environ, self.runtime, f"{self.username} with the app's key")

    def _assertion(self) -> Secret:
        import jwt  # imports cryptography, which only this sign-in method needs

        now = int(self.runtime.now())
        claims = {"iss": self.consumer_key, "sub": self.username, "aud": self.audience, "exp": now + LIFETIME}
        try:
            return Secret(jwt.encode(claims, self.key.reveal(), algorithm="RS256"))
        except (ValueError, TypeError, jwt.InvalidKeyError):
            # The cause is dropped, since parser errors may quote the key.
            raise SignInError(
                "The private key for the JWT sign-in cannot be used.",
                "SF_JWT_KEY or SF_JWT_KEY_FILE needs an RSA key in PEM form, without a passphrase.",
            ) from None


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """The client credentials flow: an app signs in as its run-as user, at the org's own domain."""

    client_id: str
    client_secret: Secret
    token_url: str
    environ: Mapping[str, str] = field(repr=False)
    runtime: Runtime = field(repr=False)

    def __call__(self) -> Grant:
        """Exchange the client ID and secret for a token."""
        form: Form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return request_token(self.token_url, form, self.environ, self.runtime, "the app's client credentials")


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """The refresh token flow: a token of an earlier sign-in in a browser."""

    client_id: str
    client_secret: Secret
    refresh_token: Secret
    token_url: str
    environ: Mapping[str, str] = field(repr=False)
    runtime: Runtime = field(repr=False)

    def __call__(self) -> Grant:
        """Exchange the refresh token for an access token."""
        form: Form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": self.refresh_token}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return request_token(self.token_url, form, self.environ, self.runtime, "the refresh token")


TOO_MANY = 429
HINTS = {
    "user hasn't approved this consumer": "Pre-authorize the user: in the app's policies set `Admin approved users are "
    "pre-authorized`, and assign the user a permission set that they list.",
    "audience is invalid": "SF_AUDIENCE_URL must be https://login.salesforce.com for production, "
    "https://test.salesforce.com for a sandbox, or the site's own URL.",
    "user is not admin approved": "Assign the user a permission set or profile that the app's policies list.",
    "invalid assertion": "The key does not belong to the app's certificate, or this machine's clock is wrong.",
    "expired access/refresh token": "The refresh token is no longer valid: sign in again with `sf org login web`, then "
    "take `sf org auth show-sfdx-auth-url`.",
    "no client credentials user enabled": "In the app's policies switch on the client credentials flow and choose its "
    "run-as user.",
    "request not supported on this domain": "Use the org's own address (https://yourcompany.my.salesforce.com) in "
    "SF_ORG_INSTANCE_URL.",
    "client identifier invalid": "Check the consumer key; a new app can take ten minutes to become available.",
    "invalid client credentials": "Check the client ID and secret of the app.",
}
"""Hints by Salesforce's error text, in lower case."""


def request_token(base: str, form: Form, environ: Mapping[str, str], runtime: Runtime, client: str) -> Grant:
    """Request a token. Raises SignInError with the server's message and a hint."""
    from sfcode.org.transport import http_session  # requests is slow to import

    with http_session(base, environ, runtime) as http:
        # A request for a token can be repeated.
        status, answer = retry.call(lambda: _ask(http, f"{base}/services/oauth2/token", form), runtime)
    access, instance = answer.get("access_token"), answer.get("instance_url")
    if status == 200 and isinstance(access, str) and access and isinstance(instance, str):
        return Grant(Secret(access), instance)
    code, description = str(answer.get("error", "")), str(answer.get("error_description", ""))
    description = scrub(description, [value for value in form.values() if isinstance(value, Secret)])
    hint = next((hint for words, hint in HINTS.items() if words in description.lower()), "")
    reason = ": ".join(part for part in (code, description) if part) or f"status {status}"
    raise SignInError(
        f"{base} refused {client}: {reason}", hint or "Check the app and its policies in Setup.", code=code
    )


def _ask(http: Any, url: str, form: Form) -> tuple[int, dict[str, Any]]:
    from sfcode.org.transport import translate_errors, unavailable_error

    data = {name: value.reveal() if isinstance(value, Secret) else value for name, value in form.items()}
    with translate_errors(url):
        response = http.post(url, data=data, headers={"Accept": "application/json"})
    try:
        answer = response.json()
    except ValueError:
        raise unavailable_error(response) from None
    if response.status_code >= 500 or response.status_code == TOO_MANY:
        raise unavailable_error(response)
    return response.status_code, answer if isinstance(answer, dict) else {}
