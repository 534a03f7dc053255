"""
Register apps and hand out access tokens over HTTP, for tests and setup scripts. No org has these routes.

`POST /services/sfcode/apps` registers an app, `GET` lists them without their secrets, `DELETE .../apps/KEY` forgets one.
`POST /services/sfcode/tokens` with `{"username": "..."}` returns an access token of any user.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import RestCall, answer, no_content, route
from sfcode.local.signin.apps import parse_app
from sfcode.local.store import OrgTransaction

BASE = "/services/sfcode/apps"
SECRETS = frozenset({"consumer_secret"})


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [
        route(BASE, context, {"GET": _list, "POST": _register}),
        route(f"{BASE}/{{key}}", context, {"DELETE": _forget}),
        route("/services/sfcode/tokens", context, {"POST": _token}),
    ]


def check_administrator(tx: OrgTransaction, call: RestCall) -> None:
    """Check that the caller is the administrator. Raises ApiError."""
    if call.session.user_id != tx.settings.get("admin_id"):
        raise make_error("forbidden")


def _register(call: RestCall) -> Response:
    faults: list[str] = []
    found = parse_app(
        call.json_object(), lambda key, text, hint: faults.append(f"{key}: {text}; {hint}"), call.context.rng
    )
    if faults:
        raise ApiError("INVALID_FIELD", " | ".join(fault.removesuffix("; ") for fault in faults))
    with call.context.store.transaction() as tx:
        check_administrator(tx, call)
        tx.apps.put(found.consumer_key, found.body)
    return answer(found.body, 201)


def _list(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        check_administrator(tx, call)
        found = tx.apps.list_all()
    return answer([{key: value for key, value in body.items() if key not in SECRETS} for body in found])


def _forget(call: RestCall) -> Response:
    with call.context.store.transaction() as tx:
        check_administrator(tx, call)
        if not tx.apps.delete(call.path["key"]):
            raise make_error("not_found")
    return no_content()


def _token(call: RestCall) -> Response:
    username = call.json_object().get("username")
    with call.context.store.transaction() as tx:
        check_administrator(tx, call)
        found = tx.records.find("User", "Username", username) if isinstance(username, str) else []
        user = next((each for each in found if each.get("IsActive")), None)
        if user is None:
            raise ApiError("NOT_FOUND", f"there is no active user {username}", status=404)
        token = auth.get_or_create_token(tx, str(user["Id"]), now=call.context.clock.now(), rng=call.context.rng)
    return answer({"access_token": token, "user_id": user["Id"], "username": user["Username"]}, 201)
