"""The ASGI application: the routes of all APIs, restricted to requests from this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http.call import answer, error_answer
from sfcode.local.http.fault_middleware import FaultMiddleware
from sfcode.local.http.lazy_routes import LazyRoutes
from sfcode.local.http.web_server import LocalMiddleware

if TYPE_CHECKING:
    from sfcode.local.automation.delivery import Deliveries

METADATA = r"/services/(Soap/m|data/[^/]+/(metadata|tooling))(/|$)"
SIGN_IN = r"/services/(oauth2/(?!userinfo)|Soap/(?!m/)|data/[^/]+/sobjects/User/[^/]+/password)"
REST = r"/(services/(data|oauth2/userinfo)|id/)"
CONTROL = r"/services/sfcode/"


def make_app(context: OrgContext, deliveries: Deliveries) -> ASGIApp:
    """Build the application of one local org."""
    app = Starlette(
        routes=[
            LazyRoutes(METADATA, "sfcode.local.metadata", context),
            LazyRoutes(SIGN_IN, "sfcode.local.signin", context),
            LazyRoutes(REST, "sfcode.local.rest", context),
            LazyRoutes(CONTROL, "sfcode.local.control_api", context, deliveries),
        ],
        exception_handlers={HTTPException: _error_response},
    )
    # Paths must match exactly: a redirect for a trailing slash would lose the request's body.
    app.router.redirect_slashes = False
    message = "the local org answers to 127.0.0.1 and localhost only"
    refusal = answer([{"errorCode": "FORBIDDEN", "message": message}], 403)
    return LocalMiddleware(FaultMiddleware(app, context), context.clock, refusal)


def _error_response(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 404:
        return error_answer(make_error("not_found"))
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return answer([{"errorCode": "METHOD_NOT_ALLOWED", "message": detail}], status)
