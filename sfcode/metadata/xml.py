"""Metadata XML: parse it safely, convert it to canonical components and back, print it as Salesforce does."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import cast

from lxml import etree

from sfcode.metadata import schema_table
from sfcode.metadata.component import Body, Component, Value
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.types import TYPES, identity_key, is_unordered, local_name
from sfcode.text import NOT_XML

MAX_BYTES = 50 * 1024 * 1024
"""The maximum size of a file. Salesforce's own limit for a whole request is 52,428,800 bytes."""

_NSMAP = cast("dict[str, str]", {None: schema_table.NAMESPACE})
_TAG = "{" + schema_table.NAMESPACE + "}"
_NIL = "{" + schema_table.XSI + "}nil"
_TYPE = "{" + schema_table.XSI + "}type"


def parse(data: bytes, name: str = "") -> etree._Element:
    """Parse XML without DTD, entities or network. Raises MetadataError with the position of the error."""
    if len(data) > MAX_BYTES:
        raise MetadataError(f"the file has {len(data)} bytes; more than {MAX_BYTES} are not read", file=name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise MetadataError(_syntax(error), file=name, line=line, column=max(column, 1)) from None
    info = root.getroottree().docinfo
    if info is not None and info.internalDTD is not None:
        raise MetadataError("a DOCTYPE is not allowed", "Remove the <!DOCTYPE ...> line.", file=name, line=1, column=1)
    return root


def _syntax(error: etree.XMLSyntaxError) -> str:
    text = re.sub(r", line \d+, column \d+.*$", "", error.msg or "not well-formed")
    return f"not well-formed XML: {text.strip()}"


UNKNOWN = "$xml"
"""The key of a body for elements that the schema does not know, as XML."""


def from_element(
    type_: str, full_name: str, element: etree._Element, *, file: str = "", lenient: bool = False
) -> Component:
    """
    Convert an element to a component, whatever its tag.

    Raises MetadataError for an element that the type does not have; with `lenient` it is kept as XML.
    """
    if schema_table.elements(type_) is None:
        raise MetadataError(f"{type_} is not a metadata type that sfcode knows", file=file, line=line_of(element))
    return Component(type_, full_name, _Reader(file, lenient=lenient).complex(type_, element, skip="fullName"))


def to_element(component: Component, tag: str | None = None) -> etree._Element:
    """Convert a component to an element with children in schema order, as the root of a file or as `tag` of its container's file."""
    children = schema_table.elements(component.type)
    if children is None:
        raise MetadataError(f"{component.type} is not a metadata type that sfcode knows")
    root = etree.Element(_TAG + (tag or component.type), nsmap=_NSMAP)
    kind = TYPES.get(component.type)
    if tag or (kind and kind.parent):
        etree.SubElement(root, _TAG + "fullName").text = local_name(component.type, component.full_name)
    _write(root, component.type, component.body, str(component.address))
    return root


def line_of(element: etree._Element) -> int:
    """Return the line of an element's start, 0 if it was not parsed from a file."""
    return cast("int | None", element.sourceline) or 0


def children_of(element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """List the child elements with their names; a name in a foreign namespace includes it."""
    for child in element.iterchildren("*"):
        yield child.tag.removeprefix(_TAG), child


class _Reader:
    """Converts elements to canonical values, with the file's name for messages."""

    def __init__(self, file: str, *, lenient: bool) -> None:
        self._file = file
        self._lenient = lenient

    def complex(self, type_: str, element: etree._Element, skip: str = "") -> dict[str, Value]:
        """Convert the children of an element of a complex type."""
        specs = schema_table.elements(type_) or {}
        children: dict[str, list[etree._Element]] = {}
        unknown: dict[str, list[Value]] = {}
        text = (element.text or "").strip()
        for child in element:  # one loop over the children, since thousands of files are parsed
            text = text or (child.tail or "").strip()
            if not isinstance(child.tag, str):
                continue  # a comment
            name = child.tag.removeprefix(_TAG)
            spec = specs.get(name)
            if spec is None and self._lenient:
                unknown.setdefault(name, []).append(etree.tostring(child, encoding="unicode", with_tail=False))
                continue
            if spec is None:
                qualified_name = name if name.startswith("{") else f"{{{schema_table.NAMESPACE}}}{name}"
                raise self._error(f"Element {qualified_name} invalid at this location in type {type_}", child)
            if name in children and not spec.repeated:
                raise self._error(f"Element {name} is duplicated at this location in type {type_}", child)
            if name != skip and child.get(_NIL) not in ("true", "1"):
                children.setdefault(name, []).append(child)
        if text:
            raise self._error(f"text is not allowed in an element of type {type_}: {text[:40]!r}", element)
        body = {name: self._values(type_, specs[name], children[name]) for name in specs if name in children}
        return body | {name: {UNKNOWN: texts} for name, texts in unknown.items()}

    def _values(self, owner: str, spec: schema_table.Element, elements: list[etree._Element]) -> Value:
        if not spec.repeated:
            return self._value(spec, elements[0])
        items = [self._value(spec, element) for element in elements]
        key = identity_key(owner, spec.name)
        if key is not None:
            return _key_items(items, key)
        if is_unordered(owner, spec.name):
            return cast(Value, sorted({str(item) for item in items}))
        return items

    def _value(self, spec: schema_table.Element, element: etree._Element) -> Value:
        if schema_table.elements(spec.type) is not None:
            return self.complex(spec.type, element)
        if len(element):
            for name, child in children_of(element):
                raise self._error(f"Element {name} invalid at this location in type {spec.type}", child)
        text = element.text or ""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if spec.type == "anyType":
            kind = (element.get(_TYPE) or "xsd:string").rpartition(":")[2]
            return {"type": kind, "value": self._simple(kind, text, element)}
        return self._simple(spec.type, text, element)

    def _simple(self, type_: str, text: str, element: etree._Element) -> Value:
        if type_ == "string":
            return sys.intern(text)  # interned, since names of fields and objects occur in many files
        word = text.strip()
        if type_ == "boolean":
            if word not in ("true", "false", "1", "0"):
                raise self._error(f"'{word}' is not a valid value for the type xsd:boolean", element)
            return word in ("true", "1")
        if type_ == "int":
            if not re.fullmatch(r"[+-]?\d{1,10}", word):
                raise self._error(f"'{word}' is not a valid value for the type xsd:int", element)
            return int(word)
        return "".join(word.split()) if type_ == "base64Binary" else word

    def _error(self, message: str, element: etree._Element) -> MetadataError:
        return MetadataError(message, file=self._file, line=line_of(element))


def _key_items(items: list[Value], key: str) -> Value:
    """Key items by their identity; return the list if an item has no identity or two have the same."""
    items_by_key: dict[str, Value] = {}
    for item in items:
        entry = dict(cast(Mapping[str, Value], item))
        name = entry.pop(key, None)
        if not isinstance(name, str) or name in items_by_key:
            return items
        items_by_key[name] = entry
    return dict(sorted(items_by_key.items()))


def _write(parent: etree._Element, type_: str, body: Body, path: str) -> None:
    specs = schema_table.elements(type_) or {}
    unknown: list[str] = []
    for name in sorted(body.keys() - specs.keys()):
        value = body[name]
        if not isinstance(value, Mapping) or UNKNOWN not in value:
            raise MetadataError(f"{path}: type {type_} has no element {name}")
        unknown += cast(list[str], value[UNKNOWN])
    for name, spec in specs.items():
        value = body.get(name)
        if value is None:
            if spec.required and spec.nillable:
                etree.SubElement(parent, _TAG + name, {_NIL: "true"})
            continue
        for item in _items(type_, spec, value, path):
            child = etree.SubElement(parent, _TAG + name)
            if isinstance(item, Mapping) and schema_table.elements(spec.type) is not None:
                _write(child, spec.type, item, f"{path}.{name}")
            elif isinstance(item, Mapping) and spec.type == "anyType":
                child.set(_TYPE, f"xsd:{item['type']}")
                child.text = _text(item["value"], f"{path}.{name}")
            else:
                child.text = _text(item, f"{path}.{name}")
    parent.extend(etree.fromstring(text) for text in unknown)


def _items(owner: str, spec: schema_table.Element, value: Value, path: str) -> list[Value]:
    """List the items of one key of a body; the key of a keyed item becomes one of its elements again."""
    if not spec.repeated:
        return [value]
    if isinstance(value, Mapping):
        key = identity_key(owner, spec.name)
        if key is None:
            raise MetadataError(f"{path}.{spec.name}: a list is needed, its items have no identity")
        return [{**cast(Mapping[str, Value], value[name]), key: name} for name in sorted(value)]
    if isinstance(value, list | tuple):
        return cast(list[Value], sorted(map(str, value))) if is_unordered(owner, spec.name) else list(value)
    raise MetadataError(f"{path}.{spec.name}: a list is needed, not {value!r}")


def _text(value: Value, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | str):
        raise MetadataError(f"{path}: a single value is needed, not {value!r}")
    text = str(value)
    if bad := NOT_XML.search(text):
        raise MetadataError(f"{path}: the character U+{ord(bad[0]):04X} is not allowed in XML")
    return text


def sort_children(root: etree._Element, type_: str) -> None:
    """Sort the children of an element in schema order, with unknown ones last."""
    order = {name: number for number, name in enumerate(schema_table.elements(type_) or ())}
    root[:] = sorted(root, key=lambda element: order.get(etree.QName(element).localname, len(order)))


def escape(value: object) -> str:
    """Return a value as text of an element or an attribute."""
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&apos;").replace("\r", "&#13;")


def to_bytes(root: etree._Element) -> bytes:
    """Print a tree as Salesforce does: declaration, four spaces, escaped quotes, a line feed at the end."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    spaces = [("xmlns", schema_table.NAMESPACE)]
    if any(_NIL in element.attrib or _TYPE in element.attrib for element in root.iter("*")):
        spaces += [("xmlns:xsi", schema_table.XSI), ("xmlns:xsd", schema_table.XSD)]
    _print(root, lines, "", "".join(f' {name}="{uri}"' for name, uri in spaces))
    return ("\n".join(lines) + "\n").encode()


def _print(element: etree._Element, lines: list[str], indent: str, attributes: str = "") -> None:
    name = element.tag.removeprefix(_TAG)
    for attribute, label in ((_TYPE, "xsi:type"), (_NIL, "xsi:nil")):
        if (value := element.get(attribute)) is not None:
            attributes += f' {label}="{escape(value)}"'
    if len(element):
        lines.append(f"{indent}<{name}{attributes}>")
        for child in element:
            _print(child, lines, indent + "    ")
        lines.append(f"{indent}</{name}>")
    elif element.text:
        lines.append(f"{indent}<{name}{attributes}>{escape(element.text)}</{name}>")
    else:
        lines.append(f"{indent}<{name}{attributes}/>")
