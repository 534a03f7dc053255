"""One REST call: the user, the request, and the response as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.auth import UserSession
from sfcode.local.context import OrgContext
from sfcode.local.errors import Ambiguous, ApiError, describe_failure, make_error
from sfcode.local.store import OrgTransaction

if TYPE_CHECKING:
    from sfcode.local.sobjects.rows import UserView

VERSIONS = range(31, 69)
"""The API versions that `/services/data` lists."""

DATA = "/services/data/v{version}"
MAX_BODY = 52_428_800

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestCall:
    """A parsed request and its user."""

    context: OrgContext
    session: UserSession
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    """The URL at which the caller reaches the org: `http://127.0.0.1:8300`."""

    @property
    def base(self) -> str:
        """The prefix of resource paths in the caller's API version."""
        return f"/services/data/v{self.path.get('version', f'{VERSIONS[-1]}.0')}"

    def view(self, tx: OrgTransaction) -> UserView:
        """Return the org as seen with the caller's permissions."""
        from sfcode.local.sobjects.rows import UserView

        return UserView.of(tx, self.session.user_id, self.context.clock.now())

    def json(self) -> Any:
        """Read the body as JSON. Raises ApiError."""
        try:
            value = json.loads(self.body)
            if b"\\u" in self.body:
                # Half of a surrogate pair could be neither stored nor returned.
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise make_error("bad_json", message=_jackson_words(error)) from error
        return value

    def json_object(self) -> dict[str, Any]:
        """Read the body as a JSON object. Raises ApiError."""
        value = self.json()
        if not isinstance(value, dict):
            raise make_error("bad_json", message="The HTTP entity body is required, and it must be a JSON object")
        return value


def _jackson_words(error: Exception) -> str:
    """Describe an error in JSON in the words of the parser that Salesforce uses."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    at = f"at [line:{error.lineno}, column:{error.colno}]"
    if error.pos >= len(error.doc.rstrip()):
        return f"Unexpected end-of-input: expected close marker for Object (start marker at [line:1, column:1]) {at}"
    character = error.doc[error.pos]
    expected = next((words for start, words in EXPECTED.items() if error.msg.startswith(start)), error.msg)
    return f"Unexpected character ('{character}' (code {ord(character)})): {expected} {at}"


EXPECTED = {
    "Expecting value": "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
    "Expecting property name": "was expecting double-quote to start field name",
    "Expecting ':'": "was expecting a colon to separate field name and value",
    "Expecting ','": "was expecting comma to separate Object entries",
}


Handler = Callable[[RestCall], Response]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(body, status, headers, "application/json;charset=UTF-8")


def no_content() -> Response:
    """Return an empty response with status 204."""
    return Response(status_code=204)


def error_answer(error: ApiError, base: str = "") -> Response:
    """Return the response of an error."""
    if isinstance(error, Ambiguous):
        return answer([f"{base}/sobjects/{error.object_name}/{id_}" for id_ in error.record_ids], error.status)
    return answer(error.body, error.status)


class CallRoute(Route):
    """A route that exposes its handlers, so that a composite request can call them."""

    handlers: Mapping[str, Handler]


def route(path: str, context: OrgContext, handlers: Mapping[str, Handler], *, max_bytes: int = MAX_BODY) -> Route:
    """Build a route with one handler for each method; each runs in a thread, authenticated, with the body read."""

    async def endpoint(request: Request) -> Response:
        method = request.query_params.get("_HttpMethod", request.method).upper()
        try:
            body = await read_body(request, max_bytes)
            return await run_in_threadpool(_handle, context, request, method, body, handlers)
        except ApiError as error:
            return error_answer(error, f"/services/data/v{request.path_params.get('version')}")
        except Exception as error:  # noqa: BLE001  (an org answers, whatever happens inside it)
            message = describe_failure(log, f"{request.method} {request.url.path}", error)
            return answer([{"errorCode": "UNKNOWN_EXCEPTION", "message": message}], 500)

    call_route = CallRoute(path, endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    call_route.handlers = handlers
    return call_route


def route_pair(
    path: str, context: OrgContext, handlers: Mapping[str, Handler], *, max_bytes: int = MAX_BODY
) -> list[Route]:
    """Build the routes of a path with and without a slash at the end."""
    return [route(f"{path}{end}", context, handlers, max_bytes=max_bytes) for end in ("", "/")]


def _handle(
    context: OrgContext, request: Request, method: str, body: bytes, handlers: Mapping[str, Handler]
) -> Response:
    session = context.find_session(bearer(request))
    if session is None:
        raise make_error("invalid_session")
    if "version" in request.path_params:
        check_version(request.path_params["version"])
        _check_api(context, session)
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise make_error("method_not_allowed", method=method, allowed=",".join(handlers))
    return handler(
        RestCall(
            context, session, method, request.path_params, request.query_params, request.headers, body, origin(request)
        )
    )


def _check_api(context: OrgContext, session: UserSession) -> None:
    from sfcode.local.sobjects.access import UserAccess

    with context.store.read() as tx:
        if not UserAccess(tx, session.user_id).has("ApiEnabled"):
            raise make_error("api_disabled")


def bearer(request: Request) -> str | None:
    """Return the access token of the Authorization header; `OAuth` is accepted like Bearer."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else None


def origin(request: Request) -> str:
    """Return the URL by which the caller reached the org."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def identity_url(org_id: str, user_id: str, at: str) -> str:
    """Return the identity URL of a user of an org."""
    return f"{at}/id/{org_id}/{user_id}"


def check_version(version: str | None) -> None:
    """Check that the org supports an API version. Raises ApiError."""
    if version is None:
        return
    number, dot, zero = version.partition(".")
    if not (number.isascii() and number.isdigit()) or (dot, zero) != (".", "0") or int(number) > VERSIONS[-1]:
        raise make_error("not_found")
    if int(number) < VERSIONS[0]:
        raise make_error("old_version", version=version, oldest=VERSIONS[0])


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body. Raises ApiError if it has more than `max_bytes` bytes."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise make_error("body_too_large", most=max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)
