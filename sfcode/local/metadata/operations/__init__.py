"""
The operations of the Metadata API, by the element in the SOAP body.

An operation takes a Request and gives the `<result>` elements of its answer, or raises a Fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sfcode.local.metadata import rights, soap
from sfcode.local.metadata.operations import components, deploys, describe, retrieves
from sfcode.local.metadata.operations.request import Request

OPERATIONS: Mapping[str, Callable[[Request], Sequence[soap.Node]]] = {
    "cancelDeploy": deploys.cancel,
    "checkDeployStatus": deploys.status,
    "checkRetrieveStatus": retrieves.status,
    "checkStatus": retrieves.legacy_status,
    "createMetadata": components.create,
    "deleteMetadata": components.delete,
    "deploy": deploys.deploy,
    "deployRecentValidation": deploys.deploy_validated,
    "describeMetadata": describe.describe,
    "listMetadata": describe.list_,
    "readMetadata": components.read,
    "retrieve": retrieves.retrieve,
    "updateMetadata": components.update,
    "upsertMetadata": components.upsert,
}


def perform(operation: str, request: Request) -> Sequence[soap.Node]:
    """Carry out an operation for a user who may. Raises Fault."""
    found = OPERATIONS.get(operation)
    if found is None:
        raise soap.Fault("UNKNOWN_EXCEPTION", f"the local org has no operation {operation}")
    with request.context.store.read() as tx:
        rights.may_use_metadata(tx, request.session)
    return found(request)
