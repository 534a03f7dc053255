"""Deploys through REST: /services/data/vXX.0/metadata/deployRequest."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError
from sfcode.local.http import soap
from sfcode.local.http.call import DATA, Handler, RestCall, answer, route, route_pair
from sfcode.local.http.multipart import parse_parts
from sfcode.local.metadata.deploy.jobs import Deployments
from sfcode.local.metadata.deploy.options import from_json
from sfcode.local.metadata.operations.request import check_metadata_access

PATH = f"{DATA}/metadata/deployRequest"


def routes(context: OrgContext, jobs: Deployments) -> list[Route]:
    """List the routes of this file."""

    def start(call: RestCall) -> Response:
        if call.headers.get("content-type", "").startswith("multipart/"):
            return _deploy_package(call, jobs)
        return _deploy_validated(call, jobs)

    def status(call: RestCall) -> Response:
        report = jobs.status(call.path["id"])
        details = call.query.get("includeDetails", "").lower() == "true"
        return answer(_render(call, report, details=details))

    def cancel(call: RestCall) -> Response:
        change = call.json_object().get("deployResult")
        if not isinstance(change, dict) or change.get("status") not in {"Canceling", "Canceled"}:
            raise ApiError("INVALID_FIELD", "deployResult.status must be Canceling")
        return answer(_render(call, jobs.cancel(call.path["id"], call.session), details=False), 202)

    root: dict[str, Handler] = {"POST": _deployer_only(start)}
    by_id: dict[str, Handler] = {"GET": _deployer_only(status), "PATCH": _deployer_only(cancel)}
    return [*route_pair(PATH, context, root), route(PATH + "/{id}", context, by_id)]


def _deployer_only(handler: Handler) -> Handler:
    """Return a handler that checks the permission to deploy, and returns SOAP faults of `handler` as REST errors."""

    def handle(call: RestCall) -> Response:
        try:
            with call.context.store.read() as tx:
                check_metadata_access(tx, call.session)
            return handler(call)
        except soap.SoapFault as fault:
            status = {"INSUFFICIENT_ACCESS": 403, "INVALID_CROSS_REFERENCE_KEY": 404}.get(fault.code, 400)
            raise ApiError(fault.code, fault.message, status=status) from None

    return handle


def _deploy_package(call: RestCall, jobs: Deployments) -> Response:
    try:
        parts = parse_parts(call.body, call.headers.get("content-type", ""))
    except ValueError as error:
        raise ApiError("INVALID_MULTIPART_REQUEST", f"{error}") from None
    # Clients name the part `file`; one client gives the zip the file name package.xml.
    package = next((part for part in parts if part.name == "file" or part.is_file), None)
    described = next((part for part in parts if part is not package), None)
    if package is None:
        raise ApiError("INVALID_MULTIPART_REQUEST", "the request has no part with the zip file")
    options = from_json(_options(described.content if described else b"{}"))
    report = jobs.start(package.content, options, call.session)
    return answer(_render_start(report, options.json()), 201)


def _options(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise ApiError("JSON_PARSER_ERROR", f"{error}") from None
    options = body.get("deployOptions") if isinstance(body, dict) else None
    return options if isinstance(options, dict) else {}


def _deploy_validated(call: RestCall, jobs: Deployments) -> Response:
    validation_id = call.json_object().get("validatedDeployRequestId")
    if not isinstance(validation_id, str):
        raise ApiError("INVALID_FIELD", "validatedDeployRequestId, or a multipart body with a zip file, is needed")
    report = jobs.start_validated(validation_id, call.session)
    return answer(_render_start(report, None) | {"validatedDeployRequestId": validation_id}, 201)


def _render_start(report: dict[str, Any], options: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": report["id"], "validatedDeployRequestId": None, "deployOptions": options, "deployResult": None}


def _render(call: RestCall, report: dict[str, Any], *, details: bool) -> dict[str, Any]:
    return {
        "id": report["id"],
        "url": f"{call.base}/metadata/deployRequest/{report['id']}",
        "validatedDeployRequestId": None,
        "deployOptions": None,
        "deployResult": report | ({} if details else {"details": None}),
    }
