"""What is known of an org's objects and fields, as far as a mapping needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: Salesforce's describe type (`string`, `double`, `reference`, ...) and what may be done with it."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    custom: bool = False
    required: bool = False
    """Always required: no blank value, and no field permission can be given."""
    permissionable: bool = True
    """Takes field permissions (FLS)."""
    calculated: bool = False
    updateable: bool = True


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One object: its fields by name, and whether all of them are known."""

    name: str
    label: str
    fields: Mapping[str, Field]
    complete: bool = False
    """False for the shipped table: standard fields only, so that an unknown custom field may still exist."""


@dataclass(frozen=True, slots=True)
class OrgSchema:
    """The objects that are known, by name."""

    objects: Mapping[str, ObjectSchema]
    online: bool = False
