"""describeMetadata and listMetadata: the supported types, and the components of each."""

from __future__ import annotations

from sfcode.local.http import soap
from sfcode.local.metadata.inventory import file_name, file_properties, list_entries
from sfcode.local.metadata.operations.request import OperationRequest
from sfcode.local.metadata.registry import FILE_TYPES, is_known

MAX_QUERIES = 3


def describe(_: OperationRequest) -> list[soap.Node]:
    """List the types with files of their own."""
    return [
        {
            "metadataObjects": [
                {
                    "childXmlNames": list(kind.children),
                    "directoryName": kind.directory,
                    "inFolder": kind.in_folder,
                    "metaFile": kind.meta_file,
                    "suffix": kind.suffix or None,
                    "xmlName": kind.name,
                }
                for kind in FILE_TYPES.values()
            ],
            "organizationNamespace": "",
            "partialSaveAllowed": True,
            "testRequired": False,
        }
    ]


def list_(request: OperationRequest) -> list[soap.Node]:
    """List the components of up to three types."""
    queries = list(soap.children(request.element, "queries"))
    if len(queries) > MAX_QUERIES:
        raise soap.SoapFault(
            "LIMIT_EXCEEDED", f"You can specify at most {MAX_QUERIES} queries in one call of listMetadata"
        )
    results: list[soap.Node] = []
    with request.context.store.read() as tx:
        for query in queries:
            type_ = soap.text(query, "type") or ""
            if not is_known(type_):
                raise soap.SoapFault("INVALID_TYPE", f"Unknown type:{type_}")
            results += [file_properties(tx, entry, file_name(entry.component)) for entry in list_entries(tx, type_)]
    return results
