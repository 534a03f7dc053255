"""
Validate metadata files against the Metadata API's schema.

The strict check follows the WSDL exactly: names, order, occurrence, enumerations, simple types. Generated files must
pass it. The loose check accepts what an org accepts in other files (see `validate.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from sfcode.metadata import schema_table
from sfcode.metadata.errors import MetadataError, SchemaProblem
from sfcode.metadata.xml import line_of, parse

if TYPE_CHECKING:
    from sfcode.metadata.xml_positions import Span

__all__ = ["SchemaProblem", "parse_strictly", "validate_loosely", "validate_strictly", "xsd"]


@lru_cache
def xsd(type_: str, names: frozenset[str] | None = None) -> bytes:
    """
    Render the strict XML schema of one metadata type and the types it uses, as in the WSDL.

    With `names`, optional elements of other names are left out.
    """
    namespaces = f'xmlns:xsd="{schema_table.XSD}" xmlns:tns="{schema_table.NAMESPACE}" targetNamespace="{schema_table.NAMESPACE}"'
    lines = [
        f'<xsd:schema {namespaces} elementFormDefault="qualified">',
        f'<xsd:element name="{type_}" type="tns:{type_}"/>',
    ]
    for name in sorted(_reachable_types(type_, names)):
        children = _children(name, names)
        lines.extend(_enumeration(name) if children is None else _complex(name, children))
    return "\n".join([*lines, "</xsd:schema>"]).encode()


def _children(type_: str, names: frozenset[str] | None) -> list[schema_table.Element] | None:
    """Return the elements of a complex type; None if there is no such type."""
    children = schema_table.elements(type_)
    if children is None:
        return None
    return [child for child in children.values() if names is None or child.required or child.name in names]


def _reachable_types(type_: str, names: frozenset[str] | None) -> set[str]:
    reached: set[str] = set()
    waiting = [type_]
    while waiting:
        name = waiting.pop()
        if name not in reached and schema_table.is_declared(name):
            reached.add(name)
            waiting.extend(child.type for child in _children(name, names) or ())
    return reached


def _complex(name: str, children: Iterable[schema_table.Element]) -> Iterable[str]:
    yield f'<xsd:complexType name="{name}"><xsd:sequence>'
    for child in children:
        prefix = "tns" if schema_table.is_declared(child.type) else "xsd"
        attributes = f'name="{child.name}" type="{prefix}:{child.type}"'
        attributes += "" if child.required else ' minOccurs="0"'
        attributes += ' maxOccurs="unbounded"' if child.repeated else ""
        attributes += ' nillable="true"' if child.nillable else ""
        yield f"<xsd:element {attributes}/>"
    yield "</xsd:sequence></xsd:complexType>"


def _enumeration(name: str) -> Iterable[str]:
    yield f'<xsd:simpleType name="{name}"><xsd:restriction base="xsd:string">'
    for value in sorted(schema_table.values(name) or ()):
        yield f'<xsd:enumeration value="{value}"/>'
    yield "</xsd:restriction></xsd:simpleType>"


@lru_cache
def _schema(type_: str, names: frozenset[str] | None = None) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(xsd(type_, names)))


_NAMES: dict[str, frozenset[str]] = {}
"""Names of the elements in all files that were validated, by metadata type."""


def _accepts(type_: str, root: etree._Element) -> bool:
    """
    Return whether a file is valid.

    A type refers to hundreds of other types, and compiling them all takes longer than validating a file. So only the
    elements that occur in files are compiled. Such a partial schema accepts only files that the complete schema
    accepts.
    """
    names = _NAMES.get(type_)
    if names is not None and _schema(type_, names).validate(root):
        return True
    more_names = (names or frozenset()).union(element.tag.rpartition("}")[2] for element in root.iter("*"))
    if more_names == names:
        return False
    _NAMES[type_] = more_names
    return _schema(type_, more_names).validate(root)


def validate_strictly(xml: bytes) -> tuple[SchemaProblem, ...]:
    """Validate a metadata file against the strict schema; a problem's position is the start of its element."""
    return parse_strictly(xml)[1]


def parse_strictly(xml: bytes) -> tuple[etree._Element | None, tuple[SchemaProblem, ...]]:
    """Parse a metadata file and validate it strictly; return its root (None if it is not XML) and the problems."""
    try:
        root = parse(xml)
    except MetadataError as error:
        return None, (SchemaProblem(error.line, error.column, error.problem),)
    return root, _validate(xml, root)


def _validate(xml: bytes, root: etree._Element) -> tuple[SchemaProblem, ...]:
    name = _root_type(root)
    if name is None:
        return (_foreign_root(root),)
    if _accepts(name, root):
        return ()
    schema = _schema(name)
    if schema.validate(root):
        return ()
    from sfcode.metadata.xml_positions import find_spans

    spans = find_spans(xml, root)
    problems: dict[SchemaProblem, None] = {}
    log: Any = schema.error_log
    for entry in log:
        if "is not a valid value of the atomic type" in entry.message and problems:
            continue  # the previous message reports the same, with the allowed values
        line, column = _start(root, entry, spans)
        problems[SchemaProblem(line, column, _readable(entry.message))] = None
    return tuple(problems)


def validate_loosely(xml: bytes, expected: str = "") -> tuple[SchemaProblem, ...]:
    """Validate a file as an org does, with its messages and positions; `expected` is the type of the file's folder."""
    try:
        root = parse(xml)
    except MetadataError as error:
        return (SchemaProblem(error.line, error.column, error.problem),)
    name = _root_type(root)
    if name is None or (expected and name != expected):
        return (_foreign_root(root, expected),)
    from sfcode.metadata.validate import validate
    from sfcode.metadata.xml_positions import find_spans

    return validate(root, name, find_spans(xml, root))


def _root_type(root: etree._Element) -> str | None:
    namespace, _, name = root.tag.rpartition("}")
    return name if namespace == f"{{{schema_table.NAMESPACE}" and name in schema_table.roots() else None


def _foreign_root(root: etree._Element, expected: str = "") -> SchemaProblem:
    required_root = f"<{expected}>" if expected else "a metadata type"
    return SchemaProblem(
        line_of(root) or 1,
        1,
        f"the root must be {required_root} in namespace {schema_table.NAMESPACE}, not <{root.tag}>",
    )


def _start(root: etree._Element, entry: etree._LogEntry, spans: Mapping[etree._Element, Span]) -> tuple[int, int]:
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    hits: Any = []
    with suppress(etree.XPathError):
        hits = root.getroottree().xpath(entry.path, namespaces=prefixes)
    return spans[hits[0]].start if hits else (entry.line, 1)


def _readable(message: str) -> str:
    text = message.replace(f"{{{schema_table.NAMESPACE}}}", "").replace("tns:", "")
    return re.sub(r"\s+", " ", re.sub(r" \[facet '\w+'\]", "", text)).strip()
