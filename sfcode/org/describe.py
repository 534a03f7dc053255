"""Objects and fields of an org, from its sObject describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema
from sfcode.org.parallel import CONCURRENCY, run_parallel


def describe(names: Iterable[str], ask: Callable[[str], Mapping[str, Any] | None]) -> OrgSchema:
    """Return the schema of some objects, without those that do not exist or are not readable."""

    def read(name: str) -> ObjectSchema | None:
        answer = ask(name)  # parsed at once: an answer takes several times the memory of its schema
        return parse_object(name, answer) if answer else None

    unique = sorted(set(names))
    schemas = run_parallel((partial(read, name) for name in unique), CONCURRENCY)
    return OrgSchema({name: schema for name, schema in zip(unique, schemas, strict=True) if schema}, online=True)


def parse_object(name: str, answer: Mapping[str, Any]) -> ObjectSchema:
    """Parse the describe of one object."""
    fields = map(parse_field, answer.get("fields", ()))
    return ObjectSchema(
        name=str(answer.get("name", name)),
        label=str(answer.get("label", name)),
        fields={item.name: item for item in fields},
        complete=True,
    )


def parse_field(answer: Mapping[str, Any]) -> Field:
    """
    Parse one field of a describe.

    A field is `required` if it is not nillable, can be set on create, has no default, and is not a checkbox. It is
    `updateable` if the signed-in user can update it, or if it is a custom field that another user can be allowed to update.
    """
    kind = str(answer["type"])
    required = (
        not answer.get("nillable", True)
        and bool(answer.get("createable", False))
        and not answer.get("defaultedOnCreate", False)
        and kind != "boolean"
    )
    is_computed = bool(answer.get("calculated", False)) or bool(answer.get("autoNumber", False))
    is_grantable = bool(answer.get("custom", False)) and bool(answer.get("permissionable", False)) and not is_computed
    return Field(
        name=str(answer["name"]),
        type=kind,
        label=str(answer.get("label", "")),
        length=int(answer.get("length") or 0),
        custom=bool(answer.get("custom", False)),
        required=required,
        permissionable=bool(answer.get("permissionable", False)),
        calculated=bool(answer.get("calculated", False)),
        updateable=bool(answer.get("updateable", False)) or is_grantable,
        nillable=bool(answer.get("nillable", True)),
        createable=bool(answer.get("createable", False)),
        compound=str(answer.get("compoundFieldName") or ""),
        reference_to=tuple(answer.get("referenceTo") or ()),
    )
