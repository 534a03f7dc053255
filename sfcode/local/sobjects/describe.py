"""Describe results of objects and fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from sfcode.local.sobjects.model import NUMBER_TYPES, PICKLIST_TYPES, ChildRelationship, FieldDef, ObjectDef
from sfcode.local.store import Record

NAME_FIELDS = ("Name", "DeveloperName", "Subject", "ApiName")


@functools.cache
def _constants() -> dict[str, Any]:
    """Load the keys of describes whose values are the same for every object, field and relationship."""
    constants: dict[str, Any] = json.loads(resources.files(__package__).joinpath("describe.json").read_bytes())
    return constants


def _constant_keys(kind: str, described: FieldDef | ObjectDef) -> dict[str, Any]:
    """Return the keys of a describe that are constant, and those that are attributes of the definition."""
    own = {key: getattr(described, name) for key, name in _constants()["attributes"][kind].items()}
    return {**_constants()[kind], **own}


def soap_type(field: FieldDef) -> str:
    """Return the XML type of a field's values."""
    return str(_constants()["soap_types"].get(field.type, "xsd:string"))


def summary(target: ObjectDef, base: str) -> dict[str, Any]:
    """Return the describe of an object in the list of all objects."""
    address = f"{base}/sobjects/{target.name}"
    mergeable = target.name in _constants()["mergeable"]
    return _constant_keys("summary", target) | {
        "keyPrefix": target.key_prefix or None,
        "mergeable": mergeable,
        "urls": {"sobject": address, "describe": f"{address}/describe", "rowTemplate": f"{address}/{{ID}}"},
    }


def describe(
    target: ObjectDef, children: Iterable[ChildRelationship], base: str, record_types: Iterable[Record] = ()
) -> dict[str, Any]:
    """Return the describe of an object with its fields and child relationships."""
    name_field = next((name for name in NAME_FIELDS if target.field(name)), None)
    infos = [
        _constants()["record_type"]
        | {
            "active": row["IsActive"],
            "available": row["IsActive"],
            "developerName": row["DeveloperName"],
            "name": row["Name"],
            "recordTypeId": row["Id"],
            "urls": {"layout": f"{base}/sobjects/{target.name}/describe/layouts/{row['Id']}"},
        }
        for row in record_types
    ]
    constants: dict[str, Any] = _constants()["describe"]
    return (
        summary(target, base)
        | constants
        | {
            "childRelationships": [
                _constants()["child"]
                | {"childSObject": child.child, "field": child.field, "relationshipName": child.name}
                for child in children
            ],
            "fields": [describe_field(field, is_name=field.name == name_field) for field in target.fields.values()],
            "recordTypeInfos": infos,
            "searchLayoutable": target.deletable,
        }
    )


@functools.lru_cache(1024)
def describe_field(field: FieldDef, *, is_name: bool = False) -> Mapping[str, Any]:
    """Return the describe of one field, cached since most requests need it again."""
    number = field.type in NUMBER_TYPES
    integer = field.type == "int"
    text = not number and field.type not in ("boolean", "date", "datetime", "time", "address")
    return _constant_keys("field", field) | {
        "aggregatable": field.filterable and field.type not in ("boolean", "address"),
        "autoNumber": field.custom and field.type == "string" and not field.createable and not field.calculated,
        "byteLength": field.length * 3 if text and field.type not in ("id", "reference") else field.length,
        "calculatedFormula": field.formula or None,
        "compoundFieldName": field.compound or None,
        "defaultValue": field.default if field.type != "boolean" else bool(field.default),
        "defaultedOnCreate": not field.nillable
        and (field.defaulted or field.type == "boolean")
        and (field.createable or not is_name),
        "digits": field.precision or 9 if integer else 0,
        "encrypted": field.type == "encryptedstring",
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": field.filterable or field.type == "address",
        "nameField": is_name,
        "namePointing": len(field.reference_to) > 1,
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.picklist
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": 0 if integer else field.precision,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship or None,
        "queryByDistance": field.type == "address",
        "restrictedPicklist": field.restricted and field.type in PICKLIST_TYPES,
        "soapType": soap_type(field),
        "sortable": field.filterable and field.type not in ("multipicklist", "address"),
    }
