"""The standard objects from the shipped table, and the names of their child relationships."""

from __future__ import annotations

import dataclasses
import json
from functools import cache, lru_cache
from importlib.resources import files

from sfcode.local.sobjects.model import FieldDef, ObjectDef, object_def
from sfcode.local.sobjects.setup_objects import object_blocks, read_object, setup_objects
from sfcode.metadata.objects import Field, ObjectSchema, standard

RESTRICTED = frozenset({("User", "EmailEncodingKey"), ("User", "LanguageLocaleKey")})
"""Restricted picklists; others accept any text through the API, as in an org."""

ACTIVITIES = ("Event", "Task")
"""Objects with the custom fields of Activity, which itself has no records."""

ID_LOOKUPS = frozenset({("Contact", "Email"), ("Lead", "Email"), ("User", "Username")})
"""Standard fields that can identify the record of an upsert: `idLookup` in describes of real orgs."""

SHARED = {item.name for item in dataclasses.fields(Field)} & {item.name for item in dataclasses.fields(FieldDef)}
"""The properties that have the same name in the shipped table and in `FieldDef`."""
WITH_RECORDS = ("CampaignMemberStatus",)
"""Objects of `data_objects.txt` that are full standard objects: references from their records are followed."""

UNDELETABLE = frozenset({"User"})


@cache
def standard_objects() -> dict[str, ObjectDef]:
    """Return all standard objects by name, including Setup objects."""
    data = {name: _object(schema) for name, schema in standard().objects.items() if name != "Activity"}
    data_objects = {name: definition for name in WITH_RECORDS if (definition := data_object(name.lower()))}
    return data | data_objects | setup_objects()


@cache
def _data_blocks() -> dict[str, tuple[str, str]]:
    blocks = object_blocks("data_objects.txt")
    return {name.lower(): (name, block) for name, block in blocks.items()}


def data_object_names() -> list[str]:
    """List the standard objects that are only defined as far as deploys need them."""
    return [name for name, _ in _data_blocks().values()]


@lru_cache(1024)
def data_object(name: str) -> ObjectDef | None:
    """Return an object of `data_object_names` by its name in lower case; None if there is none."""
    block = _data_blocks().get(name)
    return read_object(block[1]) if block else None


@cache
def _child_names() -> dict[str, str]:
    names: dict[str, str] = json.loads(files(__package__).joinpath("describe.json").read_bytes())["children"]
    return names


def _object(schema: ObjectSchema) -> ObjectDef:
    return object_def(
        schema.name,
        schema.label,
        schema.label_plural,
        schema.key_prefix,
        [_field(schema.name, field) for field in schema.fields.values()],
        deletable=schema.name not in UNDELETABLE,
    )


def _field(owner: str, field: Field) -> FieldDef:
    key = (owner, field.name)
    return FieldDef(
        **{name: getattr(field, name) for name in SHARED},
        defaulted=not field.required,
        relationship=field.name.removesuffix("Id") if field.reference_to else "",
        child_relationship=_child_names().get(f"{owner}.{field.name}", ""),
        picklist=field.values,
        restricted=key in RESTRICTED,
        id_lookup=key in ID_LOOKUPS,
    )
