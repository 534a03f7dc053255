"""The ASGI application of the local Appcues: faults, rate limit, credentials, then the route."""

from __future__ import annotations

import base64
import hmac
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sfcode.local.appcues.call import Account, AppcuesApiError, AppcuesCall, Handler, Route
from sfcode.local.appcues.journal import Journal
from sfcode.local.appcues.values import ACCOUNT_ID, API_KEY, API_SECRET
from sfcode.local.errors import ApiError
from sfcode.local.faults.apply import apply_faults
from sfcode.local.http.call import read_body

CONTROL = "/sfcode/"
"""The prefix of the control routes, to which faults, rate limit and journal do not apply."""
VARIABLE = re.compile(r"\{\w+\}")
MAX_BODY = 10 * 1024 * 1024
_CREDENTIALS = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode())

log = logging.getLogger(__name__)


class AppcuesApp:
    """The application of one local Appcues."""

    def __init__(
        self, account: Account, journal: Journal, routes: Sequence[Route], monotonic: Callable[[], float]
    ) -> None:
        self._account, self._journal, self._monotonic = account, journal, monotonic
        # Parameters match the raw path up to the next slash, since an encoded slash may be part of an ID.
        self._routes = [
            (method, re.compile(VARIABLE.sub("([^/]+)", path)), handler) for method, path, handler in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(Request(scope, receive), MAX_BODY)
        except ClientDisconnect:
            return
        except ApiError:
            refused = AppcuesApiError(413, f"the body is larger than {MAX_BODY} bytes")
            await refused.response()(scope, receive, send)
            return
        answer = partial(self._answer, body)
        if scope["path"].startswith(CONTROL):
            await answer(scope, receive, send)
            return
        entry = self._journal.open(
            scope["method"], scope["raw_path"].decode("latin-1"), body, self._account.clock.now()
        )
        await apply_faults(
            answer,
            scope,
            _read_already(receive),
            self._journal.wrap_send(entry, send),
            faults=self._account.faults,
            refusal=partial(self._check_rate, scope["method"], scope["path"]),
        )

    def _check_rate(self, method: str, path: str) -> Response | None:
        fault = self._account.faults.take("rate_limit", path=path, method=method)
        seconds = (fault.retry_after or 1) if fault is not None else self._account.bucket.take(self._monotonic())
        if not seconds:
            return None
        return AppcuesApiError(429, "too many requests for this account", {"Retry-After": str(seconds)}).response()

    async def _answer(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        response = await run_in_threadpool(self._handle, scope, body)
        await response(scope, receive, send)

    def _handle(self, scope: Scope, body: bytes) -> Response:
        try:
            _sign_in(Headers(scope=scope))
            path = "/" + scope["raw_path"].decode("latin-1").strip("/")
            handler, variable = self._route(scope["method"], path)
            if path.startswith("/v2/") and variable[0] != ACCOUNT_ID:
                raise AppcuesApiError(403, f"these credentials are of account {ACCOUNT_ID}")
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            return handler(AppcuesCall(self._account, variable, query, body))
        except AppcuesApiError as error:
            return error.response()
        except Exception:
            log.exception("answering %s", scope["path"])
            return AppcuesApiError(500, "the local Appcues has a bug").response()

    def _route(self, method: str, path: str) -> tuple[Handler, list[str]]:
        matching = [
            (verb, parts, handler) for verb, pattern, handler in self._routes if (parts := pattern.fullmatch(path))
        ]
        for verb, parts, handler in matching:
            if verb == method:
                return handler, [unquote(part) for part in parts.groups()]
        if matching:
            raise AppcuesApiError(405, f"{method} is not allowed here")
        raise AppcuesApiError(404, "there is nothing here")


def _sign_in(headers: Mapping[str, str]) -> None:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not hmac.compare_digest(credentials.strip().encode(), _CREDENTIALS):
        raise AppcuesApiError(401, "the API key or its secret is wrong")


def _read_already(receive: Receive) -> Receive:
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receiving() -> Message:
        return next(messages, None) or await receive()

    return receiving
