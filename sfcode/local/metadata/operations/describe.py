"""describeMetadata, listMetadata and describeValueType: the supported types, their elements and components."""

from __future__ import annotations

from typing import Any

from sfcode.local.http import soap
from sfcode.local.metadata.inventory import file_name, file_properties, list_entries
from sfcode.local.metadata.operations.request import OperationRequest, check_type
from sfcode.local.metadata.registry import FILE_TYPES
from sfcode.metadata import schema_table

MAX_QUERIES = 3


def describe(_: OperationRequest) -> list[soap.Node]:
    """List the types whose components have separate files."""
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
            type_ = check_type(soap.text(query, "type") or "")
            results += [file_properties(tx, entry, file_name(entry.component)) for entry in list_entries(tx, type_)]
    return results


def describe_value_type(request: OperationRequest) -> list[soap.Node]:
    """Describe one type, named as `{http://soap.sforce.com/2006/04/metadata}CustomField`."""
    qualified_name = request.require("type")
    name = qualified_name.removeprefix(f"{{{schema_table.NAMESPACE}}}")
    if schema_table.elements(name) is None:
        raise soap.SoapFault("INVALID_TYPE", f"Unknown type:{qualified_name}")
    rights = {f"api{verb}": True for verb in ("Creatable", "Deletable", "Readable", "Updatable")}
    return [rights | {"valueTypeFields": _fields(name, ())}]


def _fields(name: str, within: tuple[str, ...]) -> list[dict[str, Any]]:
    if name in within:
        return []
    return [_field(child, (*within, name)) for child in (schema_table.elements(name) or {}).values()]


def _field(child: schema_table.Element, within: tuple[str, ...]) -> dict[str, Any]:
    return {
        "fields": _fields(child.type, within),
        "isForeignKey": False,
        "isNameField": child.name == "fullName",
        "minOccurs": int(child.required),
        "name": child.name,
        "picklistValues": [
            {"active": True, "defaultValue": False, "label": value, "value": value}
            for value in sorted(schema_table.values(child.type) or ())
        ],
        "soapType": child.type,
        "valueRequired": child.required,
    }
