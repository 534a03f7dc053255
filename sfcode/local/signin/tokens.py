"""
Issue an access token for any user, for tests and setup scripts. No org has this route.

`POST /services/sfcode/tokens` with `{"username": "..."}`, asked by the administrator of the local org.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError
from sfcode.local.http.call import RestCall, answer, route
from sfcode.local.signin.registration import check_administrator


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [route("/services/sfcode/tokens", context, {"POST": _token})]


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
