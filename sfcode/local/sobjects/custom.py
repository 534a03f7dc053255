"""Convert deployed CustomField and CustomObject components to fields and objects."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from sfcode.local.sobjects.model import FieldDef, ObjectDef, object_def
from sfcode.local.sobjects.roll_ups import read_roll_up
from sfcode.local.sobjects.setup_objects import read_field, system_fields
from sfcode.metadata.component import Component

FIELD_TYPES: Mapping[str, Any] = json.loads(resources.files(__package__).joinpath("field_types.json").read_bytes())
"""The properties of the types of custom fields."""

DESCRIBE_TYPES: Mapping[str, str] = FIELD_TYPES["describe_types"]
"""Describe types by the type of a custom field in metadata."""

PICKLISTS = ("Picklist", "MultiselectPicklist")

FORMULA_TEXT_LENGTH = 1300
"""The length of every text formula in a describe."""


def custom_field(component: Component) -> FieldDef:
    """Convert a CustomField component."""
    body: Mapping[str, Any] = component.body
    name = component.full_name.partition(".")[2]
    kind = str(body.get("type", "Text"))
    formula = str(body.get("formula") or "")
    computed = bool(formula) or kind in ("AutoNumber", "Summary")
    mandatory = bool(body.get("required")) or kind == "MasterDetail"
    reference = kind in ("Lookup", "MasterDetail")
    values, restricted = _picklist(body)
    return FieldDef(
        name,
        DESCRIBE_TYPES.get(kind, "string"),
        str(body.get("label") or name),
        FORMULA_TEXT_LENGTH
        if formula and kind == "Text"
        else int(body.get("length") or FIELD_TYPES["fixed_lengths"].get(kind, 0)),
        precision=int(body.get("precision") or (18 if kind in ("Number", "Currency", "Percent") else 0)),
        scale=int(body.get("scale") or 0),
        nillable=not mandatory and kind != "Checkbox",
        createable=not computed,
        updateable=not computed and (kind != "MasterDetail" or bool(body.get("reparentableMasterDetail"))),
        master=kind == "MasterDetail",
        roll_up=read_roll_up(body),
        calculated=bool(formula) or kind == "Summary",
        formula=formula,
        blank_as_zero=body.get("formulaTreatBlanksAs") == "BlankAsZero",
        custom=True,
        permissionable=not mandatory,
        reference_to=(str(body["referenceTo"]),) if reference and body.get("referenceTo") else (),
        relationship=name.removesuffix("__c") + "__r" if reference else "",
        child_relationship=f"{body['relationshipName']}__r" if reference and body.get("relationshipName") else "",
        picklist=values,
        restricted=restricted,
        external_id=bool(body.get("externalId")),
        unique=bool(body.get("unique")),
        default=_default(kind, body),
        default_formula=str(body.get("defaultValue") or "") if kind not in ("Checkbox", *PICKLISTS) else "",
        display_format=str(body.get("displayFormat") or "{0}") if kind == "AutoNumber" else "",
        starting_number=int(body.get("startingNumber") or 1),
    )


def custom_object(component: Component, prefix: str, fields: list[FieldDef]) -> ObjectDef:
    """Convert a CustomObject component; `fields` are its deployed custom fields."""
    body: Mapping[str, Any] = component.body
    label = str(body.get("label") or component.full_name)
    name_field: Mapping[str, Any] = body.get("nameField") or {}
    automatic = name_field.get("type") == "AutoNumber"
    detail = any(field.master for field in fields)
    own = [*system_fields()]
    own.append(
        FieldDef(
            "Name",
            "string",
            str(name_field.get("label") or "Name"),
            80,
            # The name is not required: a record without a name gets its ID as the name.
            createable=not automatic,
            updateable=not automatic,
            permissionable=False,
            id_lookup=True,
            display_format=str(name_field.get("displayFormat") or "{0}") if automatic else "",
            starting_number=int(name_field.get("startingNumber") or 1),
        )
    )
    setting = body.get("customSettingsType")
    if setting == "Hierarchy":
        own.append(setup_owner_field())
    elif not (detail or setting):
        own.append(owner_field())
    plural = str(body.get("pluralLabel") or label)
    definition = object_def(component.full_name, label, plural, prefix, own + fields, custom=True)
    return dataclasses.replace(definition, custom_setting=True) if setting else definition


def location_parts(field: FieldDef) -> list[FieldDef]:
    """Return the number fields of a geolocation: `Site__Latitude__s` and `Site__Longitude__s`."""
    stem = field.name.removesuffix("__c")
    return [
        dataclasses.replace(
            field, name=f"{stem}__{part}__s", type="double", precision=18, scale=15, compound=field.name
        )
        for part in ("Latitude", "Longitude")
    ]


@cache
def record_type_field() -> FieldDef:
    """Return the field for the type of a record; null is the master record type."""
    return read_field("RecordTypeId reference >RecordType", writable=True)


@cache
def owner_field() -> FieldDef:
    """Return the owner field of an object; its default is the creator."""
    return read_field("OwnerId reference >User", writable=True)


@cache
def setup_owner_field() -> FieldDef:
    """Return the field for the owner of a hierarchy custom setting's row: the org, a profile or a user."""
    field = read_field("SetupOwnerId reference >Organization,Profile,User", writable=True)
    return dataclasses.replace(field, label="Location")


def _default(kind: str, body: Mapping[str, Any]) -> str | bool | None:
    if kind == "Checkbox":
        return str(body.get("defaultValue")).lower() == "true"
    return next((name for name, value in _values(body) if value.get("default") is True), None)


def _picklist(body: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    value_set = body.get("valueSet")
    if not isinstance(value_set, Mapping):
        return (), False
    return tuple(name for name, _ in _values(body)), bool(value_set.get("restricted"))


def _values(body: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    value_set = body.get("valueSet")
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, Mapping) else None
    values = definition.get("value") if isinstance(definition, Mapping) else None
    # Keyed by fullName if the type table has an identity, else a list of dictionaries.
    if isinstance(values, Mapping):
        return [(str(name), value if isinstance(value, Mapping) else {}) for name, value in values.items()]
    return [
        (str(value["fullName"]), value) for value in values or () if isinstance(value, Mapping) and "fullName" in value
    ]
