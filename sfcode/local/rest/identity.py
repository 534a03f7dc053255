"""The identity endpoints of OAuth: id URL and userinfo."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.http.call import DATA, RestCall, answer, bearer, identity_url, origin, route
from sfcode.local.ids import full
from sfcode.local.store import Record


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""

    def userinfo(request: Request) -> Response:
        return _about(context, request, None)

    def identity(request: Request) -> Response:
        return _about(context, request, (request.path_params["org"], request.path_params["user"]))

    return [
        Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
        Route("/id/{org}/{user}", identity, methods=["GET", "POST"]),
        route(f"{DATA}/chatter/users/me", context, {"GET": _me}),
    ]


def _me(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        user = tx.records.get("User", call.session.user_id) or {}
    return answer({"id": user.get("Id"), "username": user.get("Username"), "displayName": user.get("Name")})


def _about(context: OrgContext, request: Request, asked: tuple[str, str] | None) -> Response:
    given = (request.query_params.get(name) for name in ("access_token", "oauth_token"))
    session = context.signed_in(bearer(request) or next((token for token in given if token), None))
    if session is None:
        return PlainTextResponse("Bad_OAuth_Token", 403)
    if asked is not None and tuple(full(each) for each in asked) != (session.org_id, session.user_id):
        return PlainTextResponse("Bad_Id", 404)
    with context.store.read() as tx:
        user = tx.records.get("User", session.user_id) or {}
    at = origin(request)
    address = identity_url(session.org_id, session.user_id, at)
    common = {
        "user_id": session.user_id,
        "organization_id": session.org_id,
        "email": user.get("Email"),
        "email_verified": True,
        "active": True,
        "user_type": "STANDARD",
        "language": user.get("LanguageLocaleKey"),
        "locale": user.get("LocaleSidKey"),
        "utcOffset": 0,
        "urls": _urls(session.org_id, at),
    }
    return answer(common | (_userinfo(user, address, at) if asked is None else _identity(user, address)))


def _userinfo(user: Record, address: str, at: str) -> dict[str, object]:
    return {
        "sub": address,
        "preferred_username": user.get("Username"),
        "nickname": user.get("CommunityNickname"),
        "name": user.get("Name"),
        "given_name": user.get("FirstName"),
        "family_name": user.get("LastName"),
        "zoneinfo": user.get("TimeZoneSidKey"),
        "profile": f"{at}/{user.get('Id')}",
        "updated_at": user.get("LastModifiedDate"),
    }


def _identity(user: Record, address: str) -> dict[str, object]:
    return {
        "id": address,
        "asserted_user": True,
        "username": user.get("Username"),
        "nick_name": user.get("CommunityNickname"),
        "display_name": user.get("Name"),
        "first_name": user.get("FirstName"),
        "last_name": user.get("LastName"),
        "timezone": user.get("TimeZoneSidKey"),
        "last_modified_date": user.get("LastModifiedDate"),
    }


def _urls(org_id: str, at: str) -> dict[str, str]:
    rest = f"{at}/services/data/v{{version}}/"
    return {
        "metadata": f"{at}/services/Soap/m/{{version}}/{org_id[:15]}",
        "rest": rest,
        "sobjects": f"{rest}sobjects/",
        "query": f"{rest}query/",
        "tooling_rest": f"{rest}tooling/",
        "custom_domain": at,
    }
