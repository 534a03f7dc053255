"""The structure of a flow: its elements, connectors, and the fields that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sfcode.local.formula import FormulaError, parse, references
from sfcode.metadata import schema_table
from sfcode.metadata.component import Body

Path = tuple[str, tuple[str, ...]]
"""An object, and a path from it: relationships, then a field."""

RECORD_ELEMENTS = ("recordCreates", "recordDeletes", "recordLookups", "recordUpdates")
CONNECTORS = re.compile(r"[A-Za-z]*[Cc]onnectors?")
MERGE_FIELD = re.compile(r"\{!\s*\$Record(?:__Prior)?\.([\w.]+)\s*\}")
RECORD = re.compile(r"\$Record(?:__Prior)?\.([\w.]+)")


def start(body: Body) -> Mapping[str, Any]:
    """Return the start element; empty if there is none."""
    element = body.get("start")
    return element if isinstance(element, Mapping) else {}


@cache
def _element_kinds() -> tuple[str, ...]:
    """List the kinds of elements that a connector can lead to: those with a position on the canvas."""
    elements = (schema_table.elements("Flow") or {}).values()
    return tuple(
        row.name for row in elements if "locationX" in (schema_table.elements(row.type) or {}) and row.repeated
    )


def elements(body: Body) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List the elements of a flow: kind, name and content."""
    for kind in _element_kinds():
        for name, entry in named_entries(body.get(kind)):
            yield kind, name, entry


def named_entries(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """List the entries of an element by name; the element is a list if the names are not unique."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(entry.get("name")), entry) for entry in value if isinstance(entry, Mapping))


def targets(element: object) -> Iterator[str]:
    """List the targets of the connectors of an element."""
    if isinstance(element, list):
        for member in element:
            yield from targets(member)
    for name, value in element.items() if isinstance(element, Mapping) else ():
        if not CONNECTORS.fullmatch(name):
            yield from targets(value)
            continue
        for connector in value if isinstance(value, list) else [value]:
            if isinstance(connector, Mapping) and "targetReference" in connector:
                yield str(connector["targetReference"])


def named_fields(body: Body) -> Iterator[tuple[str, str]]:
    """List the fields that elements name, each with its object."""
    trigger = start(body)
    yield from _filter_fields(trigger, str(trigger.get("object") or ""))
    for kind, _, element in elements(body):
        if kind in RECORD_ELEMENTS:
            own = str(element.get("object") or "")
            if not own and element.get("inputReference") == "$Record":
                own = str(trigger.get("object") or "")
            yield from _filter_fields(element, own)


def _filter_fields(element: Mapping[str, Any], owner: str) -> Iterator[tuple[str, str]]:
    if not owner:
        return
    for name in ("filters", "inputAssignments", "outputAssignments"):
        value = element.get(name)
        if isinstance(value, Mapping):
            yield from ((owner, field) for field in value)
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, Mapping) and entry.get("field"):
                yield owner, str(entry["field"])
    queried = element.get("queriedFields")
    yield from ((owner, str(field)) for field in (queried if isinstance(queried, list) else ()))
    if element.get("sortField"):
        yield owner, str(element["sortField"])


def record_paths(body: Body) -> Iterator[Path]:
    """List the paths from the triggering record: `$Record.Account.Name`."""
    owner = str(start(body).get("object") or "")
    if owner:
        for name, text in _texts(body):
            match = RECORD.fullmatch(text) if name.endswith("Reference") else None
            if match:
                yield owner, tuple(match[1].split("."))


def used_paths(body: Body) -> Iterator[Path]:
    """List all paths that a flow uses, including merge fields in texts and formulas."""
    yield from ((owner, (field,)) for owner, field in named_fields(body))
    yield from record_paths(body)
    owner = str(start(body).get("object") or "")
    if not owner:
        return
    for name, text in _texts(body):
        yield from ((owner, tuple(merge_field.split("."))) for merge_field in MERGE_FIELD.findall(text))
        if name in {"filterFormula", "expression"}:
            yield from ((owner, path) for path in _in_formula(text))


def _in_formula(text: str) -> Iterator[tuple[str, ...]]:
    try:
        formula_references = list(references(parse(text)))
    except FormulaError:
        return
    for reference in formula_references:
        if reference.path[0].lower() in {"$record", "$record__prior"} and len(reference.path) > 1:
            yield reference.path[1:]


def _texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _texts(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, name)


def actions(body: Body) -> Iterator[tuple[str, str, str]]:
    """List the actions of a flow: element, action type and action name."""
    for name, entry in named_entries(body.get("actionCalls")):
        yield name, str(entry.get("actionType") or ""), str(entry.get("actionName") or "")


OUTBOUND = "outboundMessage"


def sent_messages(body: Body) -> set[str]:
    """List the outbound messages that a flow sends."""
    return {action for _, kind, action in actions(body) if kind == OUTBOUND}
