"""Apply a fault to a request: delay it, cut the connection, refuse it, or process it and cut the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfcode.local.faults.registry import Faults

ABORT = "sfcode.abort"
"""The extension of a request's scope that closes the connection without an answer."""


async def apply_faults(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, faults: Faults, refusal: Callable[[], Response | None]
) -> None:
    """Pass a request to the application, unless a fault applies; `refusal` builds the server's own error response."""
    path, method = str(scope["path"]), str(scope["method"])
    late = faults.take("latency", path=path, method=method)
    if late is not None:
        await asyncio.sleep(late.seconds)
    if faults.take("drop", path=path, method=method) is not None:
        await _drop(scope, receive)
        return
    refused = _unavailable_response(faults, path, method) or refusal()
    if refused is not None:
        await _read(receive)
        await refused(scope, receive, send)
        return
    if faults.take("drop_after", path=path, method=method) is not None:
        await app(scope, receive, _discard)
        await _drop(scope, receive)
        return
    await app(scope, receive, send)


def _unavailable_response(faults: Faults, path: str, method: str) -> Response | None:
    down = faults.take("unavailable", path=path, method=method)
    if down is None:
        return None
    headers = {} if down.retry_after is None else {"Retry-After": str(down.retry_after)}
    return PlainTextResponse("Service Unavailable", 503, headers)


async def _drop(scope: Scope, receive: Receive) -> None:
    abort = scope.get("extensions", {}).get(ABORT)
    if abort is not None:
        abort["now"]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> None:
    """Read the whole request, because a response in the middle of a body may look like a broken connection."""
    while (message := await receive())["type"] == "http.request":
        if not message.get("more_body"):
            return


async def _discard(_message: Message) -> None:
    """Drop the response."""
