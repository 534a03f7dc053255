"""The SOAP endpoint: one handler for many URL spellings, dispatched by the body."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.http import soap
from sfcode.local.http.call import MAX_BODY
from sfcode.local.http.soap_route import find_caller, read_version, soap_route
from sfcode.local.metadata.deploy.jobs import Deployments
from sfcode.local.metadata.operations import run_operation
from sfcode.local.metadata.operations.request import OperationRequest

BASE = "/services/Soap/m/{version}"
ENDS = ("", "/", "/{org}", "/{org}/{job}")
"""Clients add a slash, the org's id, `deployRequest` or `deployRequest/<id>`; nothing of it matters."""


def routes(context: OrgContext, jobs: Deployments) -> list[Route]:
    """List the routes of the SOAP API."""

    def answer(request: Request, data: bytes) -> bytes:
        call = soap.read(data)
        session = find_caller(context, call)
        operation = OperationRequest(context, jobs, session, call.element, read_version(request), call.all_or_none)
        return soap.answer(call.operation, run_operation(call.operation, operation))

    return [soap_route(BASE + end, answer, MAX_BODY) for end in ENDS]
