"""deploy, checkDeployStatus, cancelDeploy and deployRecentValidation."""

from __future__ import annotations

import base64
import binascii

from sfcode.local.http import soap
from sfcode.local.metadata.deploy import options
from sfcode.local.metadata.deploy.result import to_soap
from sfcode.local.metadata.operations.request import OperationRequest


def deploy(request: OperationRequest) -> list[soap.Node]:
    """Queue a package."""
    zip_element = soap.child(request.element, "ZipFile")
    if zip_element is None:
        raise soap.SoapFault("INVALID_FIELD", "Required field is missing: ZipFile")
    deploy_options = options.from_element(soap.child(request.element, "DeployOptions"))
    report = request.jobs.start(decode_zip(zip_element.text or ""), deploy_options, request.session)
    return [{"done": False, "id": report["id"], "state": "Queued"}]


def decode_zip(text: str) -> bytes:
    """Decode base64; an invalid text results in an empty package, which has no package.xml."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def status(request: OperationRequest) -> list[soap.Node]:
    """Return the report of a deploy."""
    report = request.jobs.status(request.require("asyncProcessId"))
    details = soap.flag(request.element, "includeDetails", default=False)
    return [to_soap(report, include_details=details)]


def cancel(request: OperationRequest) -> list[soap.Node]:
    """Cancel a deploy."""
    # The WSDL names the argument `String`, but clients use other names.
    argument = next((child.text for child in request.element.iterchildren("*") if child.text), None)
    deploy_id = (argument or request.element.text or "").strip()
    report = request.jobs.cancel(deploy_id, request.session)
    return [{"done": report["done"], "id": report["id"]}]


def deploy_validated(request: OperationRequest) -> list[soap.Node]:
    """Deploy a package that was validated with tests."""
    return [request.jobs.start_validated(request.require("validationId"), request.session)["id"]]
