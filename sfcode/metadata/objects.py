"""Objects and fields of an org, with the properties that a mapping needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its describe type (`string`, `double`, `reference`, ...) and its properties."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    custom: bool = False
    required: bool = False
    """Whether the field is always required, so that it has no field permission."""
    permissionable: bool = True
    """Whether the field has field permissions (FLS)."""
    calculated: bool = False
    updateable: bool = True
    nillable: bool = True
    createable: bool = True
    compound: str = ""
    """The compound field that this one is a part of, which has the field permission: `MailingAddress` of `MailingCity`."""
    reference_to: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """The known values of a picklist."""
    default: str | bool | None = None
    """The default value in new records."""
    precision: int = 0
    scale: int = 0

    @property
    def permission(self) -> str:
        """The field with the field permission; "" if there is none."""
        if not self.permissionable or self.required:
            return ""
        return self.compound or self.name


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One object: its fields by name, and whether the list is complete."""

    name: str
    label: str
    fields: Mapping[str, Field]
    complete: bool = False
    """Whether the list is complete; False for the shipped table of standard fields, so that an unknown custom field may
    still exist."""
    label_plural: str = ""
    key_prefix: str = ""
    """The first three characters of the IDs of its records."""


@dataclass(frozen=True, slots=True)
class OrgSchema:
    """The known objects by name."""

    objects: Mapping[str, ObjectSchema]
    online: bool = False


@cache
def standard() -> OrgSchema:
    """Return the shipped table of standard objects and their standard fields."""
    data = json.loads(Path(__file__).with_name("objects.json").read_bytes())
    return OrgSchema({name: _object(name, entry) for name, entry in data["objects"].items()})


def _object(name: str, entry: Mapping[str, Any]) -> ObjectSchema:
    return ObjectSchema(
        name=name,
        label=entry["label"],
        fields={field: _field(field, spec) for field, spec in entry["fields"].items()},
        label_plural=entry["labelPlural"],
        key_prefix=entry["keyPrefix"],
    )


def _field(name: str, spec: Mapping[str, Any]) -> Field:
    flags = frozenset(spec["flags"].split())
    needed = {"not-nillable", "createable"} <= flags
    return Field(
        name=name,
        type=spec["type"],
        label=spec["label"],
        length=spec.get("length", 0),
        required=needed and "defaulted" not in flags and spec["type"] != "boolean",
        permissionable="permissionable" in flags,
        updateable="updateable" in flags,
        nillable="not-nillable" not in flags,
        createable="createable" in flags,
        compound=spec.get("compound", ""),
        reference_to=tuple(spec.get("referenceTo", ())),
        values=tuple(spec.get("values", ())),
        default=spec.get("default"),
        precision=spec.get("precision", 0),
        scale=spec.get("scale", 0),
    )
