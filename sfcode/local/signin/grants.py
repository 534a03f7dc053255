"""The OAuth grants: for each type a function that checks a token request and returns its user and app."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.auth import find_active_user
from sfcode.local.clock import stamp
from sfcode.local.errors import OAuthError
from sfcode.local.signin import apps
from sfcode.local.signin.apps import RegisteredApp
from sfcode.local.signin.passwords import check_password
from sfcode.local.store import OrgTransaction, Record

CODE_MINUTES = 15
LOGIN_HOSTS = {False: "https://login.salesforce.com", True: "https://test.salesforce.com"}
"""The audience of a JWT for a real org, by whether the org is a sandbox."""
OFFLINE = frozenset({"refresh_token", "offline_access", "full"})
DEFAULT_SCOPE = "id api"


@dataclass(frozen=True)
class TokenRequest:
    """One token request: its form, the org's URL of the request, and the time."""

    form: Mapping[str, str]
    origin: str
    now: datetime


@dataclass(frozen=True)
class TokenGrant:
    """The signed-in user, the app, and the scopes."""

    app: RegisteredApp
    user: Record
    scope: str = DEFAULT_SCOPE
    renewable: bool = False
    """Whether the response also contains a refresh token."""


def jwt_bearer(tx: OrgTransaction, request: TokenRequest) -> TokenGrant:
    """Grant a token for an assertion that the app signed."""
    from sfcode.local.signin import assertion  # PyJWT and cryptography are slow to import

    text = request.form.get("assertion", "")
    app = get_app(tx, str(assertion.decode_unverified(text).get("iss") or ""))
    login_host = LOGIN_HOSTS[bool(tx.records.list_all("Organization")[0]["IsSandbox"])]
    audiences = (request.origin, f"{request.origin}/services/oauth2/token", login_host)
    username = assertion.verify(text, app.certificate, audiences, request.now)
    user = _user(tx, username)
    if user is None:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    _check_approval(tx, app, user, before=True)
    return TokenGrant(app, user)


def client_credentials(tx: OrgTransaction, request: TokenRequest) -> TokenGrant:
    """Grant a token for the app's credentials; the app acts as the run-as user of its policies."""
    app = get_app(tx, request.form.get("client_id", ""))
    _check_secret(app, request.form.get("client_secret", ""))
    user = _user(tx, app.run_as) if app.run_as and app.consumer_secret else None
    if user is None:
        raise OAuthError("invalid_grant", "no client credentials user enabled")
    return TokenGrant(app, user)


def refresh_token(tx: OrgTransaction, request: TokenRequest) -> TokenGrant:
    """Grant a token for a refresh token."""
    app = get_app(tx, request.form.get("client_id", ""))
    if app.consumer_secret:
        _check_secret(app, request.form.get("client_secret", ""))
    grant = tx.grants.get(request.form.get("refresh_token", ""))
    user = tx.records.get("User", grant["user_id"]) if grant else None
    if grant is None or grant["kind"] != "refresh_token" or grant["app"] != app.consumer_key or user is None:
        raise OAuthError("invalid_grant", "expired access/refresh token")
    _check_active(user)
    return TokenGrant(app, user, grant["scope"])


def password(tx: OrgTransaction, request: TokenRequest) -> TokenGrant:
    """Grant a token for username and password: the legacy flow, which External Client Apps do not support."""
    app = get_app(tx, request.form.get("client_id", ""))
    _check_secret(app, request.form.get("client_secret", ""))
    user = user_with_password(tx, request.form.get("username", ""), request.form.get("password", ""))
    if user is None:
        raise OAuthError("invalid_grant", "authentication failure")
    _check_approval(tx, app, user, before=False)
    return TokenGrant(app, user)


def authorization_code(tx: OrgTransaction, request: TokenRequest) -> TokenGrant:
    """Grant a token for the code that /authorize sent to the callback URL; it is valid once, for 15 minutes."""
    form = request.form
    app = get_app(tx, form.get("client_id", ""))
    grant = tx.grants.get(form.get("code", ""))
    if grant is None or grant["kind"] != "code" or grant["app"] != app.consumer_key:
        raise OAuthError("invalid_grant", "invalid authorization code")
    tx.grants.delete(form["code"])
    if grant["created_at"] <= stamp(request.now - timedelta(minutes=CODE_MINUTES)):
        raise OAuthError("invalid_grant", "expired authorization code")
    if form.get("redirect_uri") != grant["redirect_uri"]:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    challenge = grant.get("code_challenge")
    if challenge and not hmac.compare_digest(challenge_of(form.get("code_verifier", "")), challenge):
        raise OAuthError("invalid_grant", "invalid code verifier")
    if app.consumer_secret:
        _check_secret(app, form.get("client_secret", ""))
    user = tx.records.get("User", grant["user_id"])
    if user is None:
        raise OAuthError("invalid_grant", "invalid authorization code")
    _check_active(user)
    return TokenGrant(app, user, grant["scope"], renewable=bool(OFFLINE & {*grant["scope"].split()}))


GRANTS: Mapping[str, Callable[[OrgTransaction, TokenRequest], TokenGrant]] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "password": password,
    "refresh_token": refresh_token,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer,
}


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier: https://www.rfc-editor.org/rfc/rfc7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def user_with_password(tx: OrgTransaction, username: str, password: str) -> Record | None:
    """Find the active user with a username and password."""
    user = find_active_user(tx, username)
    return user if user and check_password(tx.passwords.get(str(user["Id"])), password) else None


def check_admitted(tx: OrgTransaction, app: RegisteredApp, user: Record) -> None:
    """Check that the app's policy permits a user. Raises OAuthError."""
    if app.permitted_users != "all" and not app.admits(tx, user):
        raise OAuthError("invalid_app_access", "user is not admin approved to access this app")


def _check_approval(tx: OrgTransaction, app: RegisteredApp, user: Record, *, before: bool) -> None:
    """Check the policy and, with `before`, that the user has already approved the app."""
    check_admitted(tx, app, user)
    if before and app.permitted_users == "all":
        approvals = tx.grants.list_all(app.consumer_key, str(user["Id"]))
        if not any(approval["kind"] == "refresh_token" for approval in approvals):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def get_app(tx: OrgTransaction, consumer_key: str) -> RegisteredApp:
    """Return the app of a consumer key. Raises OAuthError."""
    app = apps.find_app(tx, consumer_key)
    if app is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    return app


def _check_secret(app: RegisteredApp, secret: str) -> None:
    if not app.consumer_secret or not hmac.compare_digest(secret.encode(), app.consumer_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def _user(tx: OrgTransaction, username: str) -> Record | None:
    user = next(iter(tx.records.find("User", "Username", username)), None) if username else None
    if user is not None:
        _check_active(user)
    return user


def _check_active(user: Record) -> None:
    if not user.get("IsActive"):
        raise OAuthError("inactive_user", "user is inactive")
