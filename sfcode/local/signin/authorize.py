"""The authorization page. It asks nobody: a request with the app's callback URL is approved at once."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.context import OrgContext
from sfcode.local.errors import OAuthError
from sfcode.local.http.call import answer
from sfcode.local.signin.apps import RegisteredApp
from sfcode.local.signin.grants import DEFAULT_SCOPE, check_admitted, get_app
from sfcode.local.store import OrgTransaction

CODE_LENGTH = 86


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""

    def authorize(request: Request) -> Response:
        try:
            return _authorize(context, dict(request.query_params))
        except OAuthError as error:
            # Without an address that the app has registered there is nobody to send this to.
            return answer(error.body, 400)

    return [Route("/services/oauth2/authorize", authorize, methods=["GET"])]


def _authorize(context: OrgContext, form: dict[str, str]) -> Response:
    with context.store.transaction() as tx:
        found = get_app(tx, form.get("client_id", ""))
        target = form.get("redirect_uri", "")
        if target not in found.callback_urls:
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
        try:
            given = {"code": _code(context, tx, found, form)}
        except OAuthError as error:
            given = error.body
    if "state" in form:
        given["state"] = form["state"]
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(given)}", 302)


def _code(context: OrgContext, tx: OrgTransaction, found: RegisteredApp, form: dict[str, str]) -> str:
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    hint = form.get("login_hint")
    user = auth.find_active_user(tx, hint) if hint else tx.records.get("User", tx.settings.get("admin_id") or "")
    if user is None or not user.get("IsActive"):
        raise OAuthError("access_denied", "end-user denied authorization")
    check_admitted(tx, found, user)
    code = f"aPrx{auth.generate_secret(CODE_LENGTH - 4, context.rng)}"
    body = {
        "kind": "code",
        "scope": form.get("scope") or f"{DEFAULT_SCOPE} refresh_token",
        "redirect_uri": form["redirect_uri"],
        "code_challenge": form.get("code_challenge", ""),
    }
    tx.grants.put(code, found.consumer_key, str(user["Id"]), body, now=context.clock.now())
    return code
