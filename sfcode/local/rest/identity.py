"""The identity endpoints of OAuth: the identity URL and userinfo."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfcode.local.auth import describe_user
from sfcode.local.context import OrgContext
from sfcode.local.http.call import DATA, RestCall, answer, bearer, identity_url, origin, route
from sfcode.local.ids import full


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [
        Route("/services/oauth2/userinfo", partial(_about, context), methods=["GET", "POST"]),
        Route("/id/{org}/{user}", partial(_about, context), methods=["GET", "POST"]),
        route(f"{DATA}/chatter/users/me", context, {"GET": _identify}),
    ]


def _identify(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        user = tx.records.get("User", call.session.user_id) or {}
    return answer({"id": user.get("Id"), "username": user.get("Username"), "displayName": user.get("Name")})


def _about(context: OrgContext, request: Request) -> Response:
    """Describe the signed-in user; the path of an identity URL must have the IDs of this user and org."""
    requested_ids = tuple(map(full, request.path_params.values()))
    tokens = (request.query_params.get(name) for name in ("access_token", "oauth_token"))
    session = context.find_session(bearer(request) or next((token for token in tokens if token), None))
    if session is None:
        return PlainTextResponse("Bad_OAuth_Token", 403)
    if requested_ids and requested_ids != (session.org_id, session.user_id):
        return PlainTextResponse("Bad_Id", 404)
    with context.store.read() as tx:
        user = tx.records.get("User", session.user_id) or {}
    at = origin(request)
    address = identity_url(session.org_id, session.user_id, at)
    own = {"id": address} if requested_ids else {"sub": address, "profile": f"{at}/{user.get('Id')}"}
    ids = {"user_id": session.user_id, "organization_id": session.org_id}
    description = describe_user("identity" if requested_ids else "userinfo", user)
    return answer({**description, **ids, **own, "urls": _urls(session.org_id, at)})


def _urls(org_id: str, at: str) -> dict[str, str]:
    base = f"{at}/services/data/v{{version}}/"
    return {
        "metadata": f"{at}/services/Soap/m/{{version}}/{org_id[:15]}",
        "rest": base,
        "sobjects": f"{base}sobjects/",
        "query": f"{base}query/",
        "tooling_rest": f"{base}tooling/",
        "custom_domain": at,
    }
