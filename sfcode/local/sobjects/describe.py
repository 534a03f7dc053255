"""Describe results of objects and fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sfcode.local.sobjects.model import NUMBER_TYPES, PICKLIST_TYPES, ChildRelationship, FieldDef, ObjectDef

SOAP_TYPES = {
    "address": "urn:address",
    "base64": "xsd:base64Binary",
    "boolean": "xsd:boolean",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "id": "tns:ID",
    "int": "xsd:int",
    "percent": "xsd:double",
    "reference": "tns:ID",
    "time": "xsd:time",
}
NAME_FIELDS = ("Name", "DeveloperName", "Subject", "ApiName")


def summary(target: ObjectDef, base: str) -> dict[str, Any]:
    """Return the describe of an object in the list of all objects."""
    address = f"{base}/sobjects/{target.name}"
    return {
        "activateable": False,
        "createable": target.createable,
        "custom": target.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": target.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": target.key_prefix or None,
        "label": target.label,
        "labelPlural": target.plural,
        "layoutable": target.deletable,
        "mergeable": False,
        "mruEnabled": False,
        "name": target.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": False,
        "triggerable": target.deletable,
        "undeletable": False,
        "updateable": target.updateable,
        "urls": {
            "sobject": address,
            "describe": f"{address}/describe",
            "rowTemplate": f"{address}/{{ID}}",
        },
    }


def describe(target: ObjectDef, children: Iterable[ChildRelationship], base: str) -> dict[str, Any]:
    """Return the describe of an object with its fields and child relationships."""
    name_field = next((name for name in NAME_FIELDS if target.field(name)), None)
    return summary(target, base) | {
        "childRelationships": [
            {
                "cascadeDelete": False,
                "childSObject": child.child,
                "deprecatedAndHidden": False,
                "field": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.name,
                "restrictedDelete": False,
            }
            for child in children
        ],
        "fields": [describe_field(field, is_name=field.name == name_field) for field in target.fields.values()],
        "recordTypeInfos": [],
        "supportedScopes": [{"label": "All", "name": "everything"}],
    }


def describe_field(field: FieldDef, *, is_name: bool = False) -> dict[str, Any]:
    """Return the describe of one field."""
    number = field.type in NUMBER_TYPES
    integer = field.type == "int"
    text = not number and field.type not in ("boolean", "date", "datetime", "time", "address")
    return {
        "aggregatable": field.filterable and field.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.custom and field.type == "string" and not field.createable and not field.calculated,
        "byteLength": field.length * 3 if text and field.type not in ("id", "reference") else field.length,
        "calculated": field.calculated,
        "calculatedFormula": field.formula or None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": field.compound or None,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default if field.type != "boolean" else bool(field.default),
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted or field.default is not None or field.type == "boolean",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.precision or 9 if integer else 0,
        "displayLocationInDecimal": False,
        "encrypted": field.type == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "groupable": field.groupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.upsertable,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": is_name,
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.picklist
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": 0 if integer else field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship or None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted and field.type in PICKLIST_TYPES,
        "scale": field.scale,
        "searchPrefilterable": False,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.filterable and field.type != "multipicklist",
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }
