"""The OAuth endpoints: authorize, and issue, introspect and revoke tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.context import OrgContext
from sfcode.local.errors import OAuthError
from sfcode.local.http.call import answer, identity_url, origin
from sfcode.local.signin.apps import RegisteredApp, find_app
from sfcode.local.signin.grants import DEFAULT_SCOPE, GRANTS, TokenGrant, TokenRequest, check_admitted, get_app
from sfcode.local.store import OrgTransaction

Form = dict[str, str]
Handler = Callable[[OrgContext, Request, Form], Response]
MAX_FORM = 1_000_000
CODE_LENGTH = 86
REFRESH_LENGTH = 87
NO_STORE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    base = "/services/oauth2"
    return [
        _route(f"{base}/authorize", context, _authorize, ["GET"]),
        _route(f"{base}/token", context, _token, ["POST"]),
        _route(f"{base}/introspect", context, _introspect, ["POST"]),
        _route(f"{base}/revoke", context, _revoke, ["GET", "POST"]),
    ]


def _route(path: str, context: OrgContext, handler: Handler, methods: list[str]) -> Route:
    async def endpoint(request: Request) -> Response:
        form = await _form(request)
        try:
            return await run_in_threadpool(handler, context, request, form)
        except OAuthError as error:
            return answer(error.body, 400, NO_STORE)

    return Route(path, endpoint, methods=methods)


async def _form(request: Request) -> Form:
    """Parse a form from body and query; Basic credentials become its fields `client_id` and `client_secret`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            break
    form = dict(request.query_params) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return form
        form |= {"client_id": client_id, "client_secret": secret}
    return form


def _authorize(context: OrgContext, _request: Request, form: Form) -> Response:
    """Approve a request without asking a user, and send its code to the app's callback URL."""
    with context.store.transaction() as tx:
        app = get_app(tx, form.get("client_id", ""))
        target = form.get("redirect_uri", "")
        if target not in app.callback_urls:
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
        try:
            parameters = {"code": _code(context, tx, app, form)}
        except OAuthError as error:
            parameters = error.body
    if "state" in form:
        parameters["state"] = form["state"]
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(parameters)}", 302)


def _code(context: OrgContext, tx: OrgTransaction, app: RegisteredApp, form: Form) -> str:
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    hint = form.get("login_hint")
    user = auth.find_active_user(tx, hint) if hint else tx.records.get("User", tx.settings.get("admin_id") or "")
    if user is None or not user.get("IsActive"):
        raise OAuthError("access_denied", "end-user denied authorization")
    check_admitted(tx, app, user)
    code = f"aPrx{auth.generate_secret(CODE_LENGTH - 4, context.rng)}"
    body = {
        "kind": "code",
        "scope": form.get("scope") or f"{DEFAULT_SCOPE} refresh_token",
        "redirect_uri": form["redirect_uri"],
        "code_challenge": form.get("code_challenge", ""),
    }
    tx.grants.put(code, app.consumer_key, str(user["Id"]), body, now=context.clock.now())
    return code


def _token(context: OrgContext, request: Request, form: Form) -> Response:
    grant = GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    now, at = context.clock.now(), origin(request)
    refused = None
    with context.store.transaction() as tx:
        try:
            body = _issue_token(context, tx, grant(tx, TokenRequest(form, at, now)), at)
        except OAuthError as error:
            refused = error  # raised after the transaction, which must keep that the code was used
    if refused is not None:
        raise refused
    return answer(body, 200, NO_STORE)


def _issue_token(context: OrgContext, tx: OrgTransaction, grant: TokenGrant, at: str) -> dict[str, str]:
    now, app, user_id = context.clock.now(), grant.app, str(grant.user["Id"])
    token = auth.generate_token(tx, context.rng)
    tx.sessions.put(token, user_id, now=now, minutes=app.session_minutes, app=app.consumer_key, scope=grant.scope)
    auth.record_sign_in(tx, grant.user, "Remote Access 2.0", app.name, now=now)
    identity, issued = identity_url(tx.settings.get("org_id") or "", user_id, at), str(int(now.timestamp() * 1000))
    signed = hmac.new(app.consumer_secret.encode(), f"{identity}{issued}".encode(), hashlib.sha256).digest()
    body = {
        "access_token": token,
        "signature": base64.b64encode(signed).decode(),
        "scope": grant.scope,
        "instance_url": at,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued,
    }
    if grant.renewable:
        renewal = f"5Aep{auth.generate_secret(REFRESH_LENGTH - 4, context.rng)}"
        tx.grants.put(renewal, app.consumer_key, user_id, {"kind": "refresh_token", "scope": grant.scope}, now=now)
        body["refresh_token"] = renewal
    return body


def _revoke(context: OrgContext, _request: Request, form: Form) -> Response:
    """Revoke a token; a refresh token also revokes its access tokens."""
    token = form.get("token", "")
    with context.store.transaction() as tx:
        grant = tx.grants.get(token)
        if grant is not None:
            tx.grants.delete(token)
            tx.sessions.delete_all(grant["user_id"], grant["app"])
        elif not tx.sessions.delete(token):
            raise OAuthError("invalid_token", "invalid token")
    return Response(status_code=200, headers=NO_STORE)


def _introspect(context: OrgContext, _request: Request, form: Form) -> Response:
    """Return the introspection of a token: https://www.rfc-editor.org/rfc/rfc7662."""
    now = context.clock.now()
    with context.store.read() as tx:
        app = find_app(tx, form.get("client_id", ""))
        secret = form.get("client_secret", "").encode()
        if app is None or not hmac.compare_digest(secret, app.consumer_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")
        row = tx.sessions.get(form.get("token", ""))
        session = None if row is None else auth.find_session(tx, row.token, now)
    if row is None or session is None:
        return answer({"active": False}, 200, NO_STORE)
    body = {
        "active": True,
        "scope": row.scope,
        "client_id": row.app,
        "username": session.username,
        "sub": f"/id/{session.org_id}/{session.user_id}",
        "token_type": "access_token",
        "iat": _seconds(row.created_at),
        "nbf": _seconds(row.created_at),
    }
    if row.expires_at is not None:
        body["exp"] = _seconds(row.expires_at)
    return answer(body, 200, NO_STORE)


def _seconds(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp())
