"""describeValueType: the elements of a type. The WSDL does not contain what they refer to, so the result omits it."""

from __future__ import annotations

from typing import Any

from sfcode.local.http import soap
from sfcode.local.metadata.operations.request import OperationRequest
from sfcode.metadata import schema_table


def describe(request: OperationRequest) -> list[soap.Node]:
    """Describe one type, named as `{http://soap.sforce.com/2006/04/metadata}CustomField`."""
    asked = request.required("type")
    name = asked.removeprefix(f"{{{schema_table.NAMESPACE}}}")
    if schema_table.elements(name) is None:
        raise soap.SoapFault("INVALID_TYPE", f"Unknown type:{asked}")
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
