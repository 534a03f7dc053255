"""Middleware that counts requests and applies armed faults."""

from __future__ import annotations

from functools import partial

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.faults.apply import apply_faults
from sfcode.local.http.call import error_answer

CONTROL = "/services/sfcode/"
"""The prefix of the control routes, to which faults do not apply."""
SOAP = "/services/Soap/"
COUNTED = ("/services/data/", "/services/async/", SOAP)
"""The prefixes of paths that count as API requests."""
USAGE = "sforce-limit-info"


class FaultMiddleware:
    """Counts requests and applies faults before and after they are handled."""

    def __init__(self, app: ASGIApp, context: OrgContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["path"].startswith("//"):
            # sf appends paths to an instance URL that ends in a slash, and an org accepts the double slash.
            scope = {**scope, "path": "/" + scope["path"].lstrip("/")}
        if not scope["path"].startswith("/") or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        context, path, method = self._context, str(scope["path"]), str(scope["method"])
        if path.startswith(COUNTED):
            context.usage.count(context.clock.now())
        send = self._with_usage(path, send)
        refusal = partial(self._refusal, path, method)
        await apply_faults(self._app, scope, receive, send, faults=context.faults, refusal=refusal)

    def _refusal(self, path: str, method: str) -> Response | None:
        faults = self._context.faults
        if faults.take("request_limit", path=path, method=method) is not None:
            refused = _answer_refusal(
                path, ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
            )
            limit = self._context.usage.limit
            refused.headers[USAGE] = f"api-usage={limit}/{limit}"
            return refused
        if faults.take("session_expired", path=path, method=method) is not None:
            return _answer_refusal(path, make_error("invalid_session"))
        return None

    def _with_usage(self, path: str, send: Send) -> Send:
        if not path.startswith("/services/data/"):
            return send

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and USAGE not in Headers(raw=message["headers"]):
                usage = self._context.usage
                header_value = f"api-usage={usage.count_used(self._context.clock.now())}/{usage.limit}"
                message = {**message, "headers": [*message["headers"], (USAGE.encode(), header_value.encode())]}
            await send(message)

        return sending


def _answer_refusal(path: str, error: ApiError) -> Response:
    if not path.startswith(SOAP):
        return error_answer(error)
    from sfcode.local.http import soap  # imports lxml, which is slow, and only this error needs it

    text = "Invalid Session ID found in SessionHeader: Illegal Session" if error.status == 401 else error.message
    return Response(soap.fault(soap.SoapFault(error.code, text)), 500, media_type="text/xml;charset=UTF-8")
