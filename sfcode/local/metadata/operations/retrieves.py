"""retrieve, checkRetrieveStatus, and the old checkStatus for both kinds of job."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from sfcode.local import ids
from sfcode.local.http import soap
from sfcode.local.metadata.operations.request import OperationRequest
from sfcode.local.metadata.retrieve import RetrievedFiles
from sfcode.local.metadata.retrieve import retrieve as collect

MAX_KEPT = 20
"""The number of retrieves whose results are kept; older ones are deleted, so that the state does not grow with use."""


def retrieve(request: OperationRequest) -> list[soap.Node]:
    """Retrieve components; the result is ready when the response is sent, although it says Queued."""
    body = soap.child(request.element, "request")
    if body is None:
        body = soap.child(request.element, "retrieveRequest")
    if body is None:
        raise soap.SoapFault("INVALID_FIELD", "Required field is missing: request")
    package = soap.child(body, "unpackaged")
    members: dict[str, list[str]] = {}
    for types in soap.children(package, "types") if package is not None else ():
        name = soap.text(types, "name")
        if name:
            members.setdefault(name, []).extend(soap.texts(types, "members"))
    version = (soap.text(package, "version") if package is not None else None) or soap.text(body, "apiVersion")
    folder = "" if soap.flag(body, "singlePackage", default=False) else "unpackaged/"
    files = frozenset(soap.texts(body, "specificFiles"))
    if files and folder:
        raise soap.SoapFault("INVALID_OPERATION", "specificFiles can be used only with singlePackage")
    number = _version(version or request.api_version)
    with request.context.store.transaction() as tx:
        retrieve_id = tx.retrieves.new_id()
        error: dict[str, str] = {}
        try:
            _refuse_packages(soap.texts(body, "packageNames"))
            retrieved_files = collect(tx, members, number, folder=folder, only=files)
        except soap.SoapFault as fault:
            retrieved_files = RetrievedFiles()
            error = {"errorMessage": f"{fault.code}: {fault.message}", "errorStatusCode": fault.code}
        tx.retrieves.put(retrieve_id, _render(retrieve_id, retrieved_files, error), retrieved_files.zip)
        tx.retrieves.drop_old(MAX_KEPT)
    return [{"done": False, "id": retrieve_id, "state": "Queued"}]


def _refuse_packages(names: list[str]) -> None:
    if names:
        raise soap.SoapFault("INVALID_CROSS_REFERENCE_KEY", f"No package named '{names[0]}' found")


def _render(retrieve_id: str, retrieved_files: RetrievedFiles, error: Mapping[str, str]) -> dict[str, Any]:
    """Return the result of a retrieve, with keys in the order of the WSDL; `error` has the additional keys of a failed one."""
    return {
        "done": True,
        **error,
        "fileProperties": retrieved_files.file_properties,
        "id": retrieve_id,
        "messages": retrieved_files.messages,
        "status": "Failed" if error else "Succeeded",
        "success": not error,
    }


def _version(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text):
        raise soap.SoapFault("INVALID_FIELD", f"'{text}' is not a valid value for the type xsd:double")
    return f"{float(text):.1f}"


def status(request: OperationRequest) -> list[soap.Node]:
    """Return the result of a retrieve."""
    retrieve_id = request.require("asyncProcessId")
    with request.context.store.read() as tx:
        body = tx.retrieves.get(retrieve_id)
        data = tx.retrieves.payload(retrieve_id)
    if body is None:
        raise soap.SoapFault("INVALID_LOCATOR", f"invalid retrieve id: {retrieve_id}")
    with_zip = soap.flag(request.element, "includeZip", default=True)
    return [body | {"zipFile": base64.b64encode(data or b"").decode() if with_zip else None}]


def legacy_status(request: OperationRequest) -> list[soap.Node]:
    """Return for each job whether it is done, as API versions before 31 do."""
    results: list[soap.Node] = []
    for job_id in soap.texts(request.element, "asyncProcessId"):
        if job_id.startswith(ids.key_prefix("RetrieveRequest")):
            with request.context.store.read() as tx:
                exists = tx.retrieves.get(job_id) is not None
            is_done, failed = exists, not exists
        else:
            report = request.jobs.status(job_id)
            is_done, failed = report["done"], report["done"] and not report["success"]
        state = "Error" if failed else "Completed" if is_done else "InProgress"
        results.append({"done": is_done or failed, "id": ids.full(job_id), "state": state})
    return results
