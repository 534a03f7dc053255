"""The local org's Metadata API: SOAP, the REST deploy resource, and the part of the Tooling API that flows need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sfcode.local.context import OrgContext

ENDS = ("", "/", "/{org}", "/{org}/{job}")
"""The endings that clients append to the SOAP address, such as the ID of the org. An org ignores them."""
REST_DEPLOY = r"/services/data/[^/]+/metadata(/|$)"
TOOLING = r"/services/data/[^/]+/tooling(/|$)"


def routes(context: OrgContext) -> list[BaseRoute]:
    """List the routes of the Metadata and Tooling APIs of one server."""
    from sfcode.local.http import soap
    from sfcode.local.http.call import MAX_BODY
    from sfcode.local.http.lazy_routes import LazyRoutes
    from sfcode.local.http.soap_route import find_caller, read_version, soap_route
    from sfcode.local.metadata.deploy.jobs import Deployments
    from sfcode.local.metadata.operations import run_operation
    from sfcode.local.metadata.operations.request import OperationRequest

    jobs = Deployments(context)

    def answer(request: Request, data: bytes) -> bytes:
        call = soap.read(data)
        session = find_caller(context, call)
        operation = OperationRequest(context, jobs, session, call.element, read_version(request), call.all_or_none)
        return soap.answer(call.operation, run_operation(call.operation, operation))

    return [
        *(soap_route(f"/services/Soap/m/{{version}}{end}", answer, MAX_BODY) for end in ENDS),
        LazyRoutes(REST_DEPLOY, f"{__name__}.rest_deploy", context, jobs),
        LazyRoutes(TOOLING, f"{__name__}.tooling", context, jobs),
    ]
