"""Routes of SOAP APIs: requests in envelopes, all errors as faults."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.auth import UserSession
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, describe_failure
from sfcode.local.http import soap
from sfcode.local.http.call import VERSIONS, read_body

log = logging.getLogger(__name__)


def soap_route(path: str, answer: Callable[[Request, bytes], bytes], max_bytes: int) -> Route:
    """Build a route that answers envelopes of at most `max_bytes` bytes in a thread."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await read_body(request, max_bytes)
        except ApiError as error:
            return _response(soap.fault(soap.SoapFault("LIMIT_EXCEEDED", error.message)), 500)
        try:
            return _response(await run_in_threadpool(answer, request, body), 200)
        except soap.SoapFault as error:
            fault = error
        except ApiError as error:
            fault = soap.SoapFault(error.code, error.message)
        except Exception as error:  # noqa: BLE001  (an org answers, whatever happens inside it)
            fault = soap.SoapFault("UNKNOWN_EXCEPTION", describe_failure(log, "SOAP", error))
        return _response(soap.fault(fault), 500)

    return Route(path, endpoint, methods=["POST"])


def read_version(request: Request) -> str:
    """Return the API version in the URL of a request as `62.0`, also for `62`. Raises SoapFault for an unsupported one."""
    number = request.path_params["version"].removesuffix(".0")
    if not (number.isascii() and number.isdigit() and int(number) in VERSIONS):
        raise soap.SoapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return f"{number}.0"


def find_caller(context: OrgContext, call: soap.SoapCall) -> UserSession:
    """Return the session of a call. Raises SoapFault."""
    session = context.find_session(call.session_id)
    if session is None:
        raise soap.SoapFault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
    return session


def _response(content: bytes, status: int) -> Response:
    return Response(content, status, media_type="text/xml;charset=UTF-8")
