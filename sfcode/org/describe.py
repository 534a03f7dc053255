"""Convert describe results to objects and fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema

AT_ONCE = 4


def describe(names: Iterable[str], ask: Callable[[str], Mapping[str, Any] | None]) -> OrgSchema:
    """Describe objects in parallel; objects that do not exist or are not visible are omitted."""
    wanted = sorted(set(names))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = pool.map(ask, wanted)
        objects = {name: object_schema(name, answer) for name, answer in zip(wanted, answers, strict=True) if answer}
    return OrgSchema(objects, online=True)


def object_schema(name: str, answer: Mapping[str, Any]) -> ObjectSchema:
    """Convert an sObject describe."""
    fields = map(field, answer.get("fields", ()))
    return ObjectSchema(
        name=str(answer.get("name", name)),
        label=str(answer.get("label", name)),
        fields={item.name: item for item in fields},
        complete=True,
    )


def field(answer: Mapping[str, Any]) -> Field:
    """
    Convert one field of a describe.

    `required` follows from four facts: a value is needed, people may give one, the org gives none
    itself, and it is not a checkbox, which always has one.
    """
    kind = str(answer["type"])
    required = (
        not answer.get("nillable", True)
        and bool(answer.get("createable", False))
        and not answer.get("defaultedOnCreate", False)
        and kind != "boolean"
    )
    return Field(
        name=str(answer["name"]),
        type=kind,
        label=str(answer.get("label", "")),
        length=int(answer.get("length") or 0),
        custom=bool(answer.get("custom", False)),
        required=required,
        permissionable=bool(answer.get("permissionable", False)),
        calculated=bool(answer.get("calculated", False)),
        updateable=bool(answer.get("updateable", False)),
        nillable=bool(answer.get("nillable", True)),
        createable=bool(answer.get("createable", False)),
        compound=str(answer.get("compoundFieldName") or ""),
        reference_to=tuple(answer.get("referenceTo") or ()),
    )
