"""
Validate a metadata file as an org does, with its messages.

An org is more lenient than its WSDL: the order of elements is free, as the files of real repositories
show. It does refuse unknown elements, elements of one kind that are not next to each other
(https://github.com/forcedotcom/cli/issues/3275), values that are not of the type, and the absence of
required elements. The position is the one of the org's parser: after the tag or the value that it refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from sfcode.metadata import schema_table
from sfcode.metadata.errors import SchemaProblem
from sfcode.metadata.xml import children_of
from sfcode.metadata.xml_positions import Span

_NIL = f"{{{schema_table.XSI}}}nil"
_SIMPLE = {
    "boolean": re.compile(r"true|false|1|0"),
    "int": re.compile(r"[+-]?\d{1,10}"),
    "double": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-?INF|NaN"),
    "date": re.compile(r"-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?"),
    "dateTime": re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "base64Binary": re.compile(r"(\s*[A-Za-z0-9+/]){0,}\s*(=\s*){0,2}"),
}


def validate(root: etree._Element, type_: str, spans: Mapping[etree._Element, Span]) -> tuple[SchemaProblem, ...]:
    """List the problems that an org reports, in the order of the file."""
    return tuple(sorted(set(_complex(root, type_, spans))))


def _complex(element: etree._Element, type_: str, spans: Mapping[etree._Element, Span]) -> Iterator[SchemaProblem]:
    specs = schema_table.elements(type_) or {}
    names: set[str] = set()
    previous = ""
    for name, child in children_of(element):
        spec = specs.get(name)
        if spec is None:
            qualified_name = name if name.startswith("{") else f"{{{schema_table.NAMESPACE}}}{name}"
            yield _at(spans[child].opened, f"Element {qualified_name} invalid at this location in type {type_}")
        elif name in names and not (spec.repeated and name == previous):
            yield _at(spans[child].opened, f"Element {name} is duplicated at this location in type {type_}")
        elif child.get(_NIL) not in ("true", "1"):
            yield from (
                _complex(child, spec.type, spans) if schema_table.elements(spec.type) else _simple(child, spec, spans)
            )
        names.add(name)
        previous = name
    for name, spec in specs.items():
        if spec.required and name not in names:
            yield _at(spans[element].closed, f"Required field is missing: {name}")


def _simple(
    element: etree._Element, spec: schema_table.Element, spans: Mapping[etree._Element, Span]
) -> Iterator[SchemaProblem]:
    for _, child in children_of(element):
        message = f"Unexpected element {child.tag} during simple type deserialization"
        yield _at(spans[child].opened, message)
        return
    text = element.text or ""
    allowed = schema_table.values(spec.type)
    if allowed is not None:
        if text.strip() not in allowed:
            yield _at(spans[element].closed, f"'{text}' is not a valid value for the enum '{spec.type}'")
    elif spec.type in _SIMPLE and not _SIMPLE[spec.type].fullmatch(text.strip()):
        yield _at(spans[element].closed, f"'{text}' is not a valid value for the type xsd:{spec.type}")


def _at(point: tuple[int, int], message: str) -> SchemaProblem:
    return SchemaProblem(*point, message)
