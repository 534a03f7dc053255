"""The SOAP endpoint: one handler for many URL spellings, dispatched by the body."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import describe_failure
from sfcode.local.http import soap
from sfcode.local.http.call import MAX_BODY, VERSIONS
from sfcode.local.metadata.deploy.jobs import Deployments
from sfcode.local.metadata.operations import run_operation
from sfcode.local.metadata.operations.request import OperationRequest

log = logging.getLogger(__name__)

BASE = "/services/Soap/m/{version}"
ENDS = ("", "/", "/{org}", "/{org}/{job}")
"""Clients add a slash, the org's id, `deployRequest` or `deployRequest/<id>`; nothing of it matters."""


def routes(context: OrgContext, jobs: Deployments) -> list[Route]:
    """List the routes of the SOAP API."""

    async def endpoint(request: HttpRequest) -> Response:
        try:
            data = await _body(request)
            content = await run_in_threadpool(answer, context, jobs, request.path_params["version"], data)
        except soap.SoapFault as fault:
            return _xml(soap.fault(fault), 500)
        except Exception as error:  # noqa: BLE001  (an org answers, whatever happens inside it)
            return _xml(soap.fault(soap.SoapFault("UNKNOWN_EXCEPTION", describe_failure(log, "SOAP", error))), 500)
        return _xml(content, 200)

    return [Route(BASE + end, endpoint, methods=["POST"]) for end in ENDS]


def answer(context: OrgContext, jobs: Deployments, version: str, data: bytes) -> bytes:
    """Return the response to one envelope. Raises SoapFault."""
    call = soap.read(data)
    session = context.signed_in(call.session_id)
    if session is None:
        raise soap.SoapFault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
    number, dot, zero = version.partition(".")
    if not (
        number.isascii() and number.isdigit() and int(number) in VERSIONS and (dot, zero) in {("", ""), (".", "0")}
    ):
        raise soap.SoapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    request = OperationRequest(context, jobs, session, call.element, f"{number}.0", call.all_or_none)
    return soap.answer(call.operation, run_operation(call.operation, request))


async def _body(request: HttpRequest) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            text = f"Maximum size of request reached. Maximum size of request is {MAX_BODY} bytes."
            raise soap.SoapFault("LIMIT_EXCEEDED", text)
        chunks.append(chunk)
    return b"".join(chunks)


def _xml(content: bytes, status: int) -> Response:
    return Response(content, status, media_type="text/xml;charset=UTF-8")
