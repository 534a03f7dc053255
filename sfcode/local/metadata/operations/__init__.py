"""
The operations of the Metadata API, by the element in the SOAP body.

An operation takes an OperationRequest and returns the `<result>` elements of the response, or raises a SoapFault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from sfcode.local.http import soap
from sfcode.local.metadata.operations.request import OperationRequest, check_metadata_access

OPERATIONS: Mapping[str, tuple[str, str]] = {
    "cancelDeploy": ("deploys", "cancel"),
    "checkDeployStatus": ("deploys", "status"),
    "checkRetrieveStatus": ("retrieves", "status"),
    "checkStatus": ("retrieves", "legacy_status"),
    "createMetadata": ("components", "create"),
    "deleteMetadata": ("components", "delete"),
    "deploy": ("deploys", "deploy"),
    "deployRecentValidation": ("deploys", "deploy_validated"),
    "describeMetadata": ("describe", "describe"),
    "describeValueType": ("describe", "describe_value_type"),
    "listMetadata": ("describe", "list_"),
    "readMetadata": ("components", "read"),
    "renameMetadata": ("components", "rename"),
    "retrieve": ("retrieves", "retrieve"),
    "updateMetadata": ("components", "update"),
    "upsertMetadata": ("components", "upsert"),
}
"""Module and function of each operation, imported on first use, since most commands need only two or three."""


def run_operation(operation: str, request: OperationRequest) -> Sequence[soap.Node]:
    """Run an operation, if the user has the permission. Raises SoapFault."""
    if operation not in OPERATIONS:
        raise soap.SoapFault("UNKNOWN_EXCEPTION", f"the local org has no operation {operation}")
    with request.context.store.read() as tx:
        check_metadata_access(tx, request.session)
    return load_function(operation)(request)


def load_function(operation: str) -> Callable[[OperationRequest], Sequence[soap.Node]]:
    """Return the function of an operation."""
    module, name = OPERATIONS[operation]
    answer: Callable[[OperationRequest], Sequence[soap.Node]] = getattr(import_module(f"{__name__}.{module}"), name)
    return answer
