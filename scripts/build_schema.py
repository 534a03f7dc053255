"""
Write sfcode/metadata/schema.json: the metadata types that sfcode uses, taken from the Metadata API's own WSDL.

The WSDL is the one inside the installed package simple-salesforce. Run this script again after that package
moves to another API version:

    python scripts/build_schema.py
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from sfcode.metadata.types import TYPES

ROOTS = ("CustomField", "Package", *(kind.name for kind in TYPES.values() if not kind.parent))
"""The types that the table contains, together with all types that they refer to."""

NIL_IN_ORGS = frozenset({("FlowDynamicChoiceSet", "displayField"), ("FlowDynamicChoiceSet", "object")})
"""
Elements that the WSDL requires, but that orgs write as xsi:nil, since the choices of a picklist have no values for
them.
"""

ABSENT = {"CustomField": {"displayFormat?": {"displayLocationInDecimal?": "boolean"}}}
"""
Documented elements that this WSDL lacks, by type and by the element that they follow. An org omits an element for
fields to which it does not apply.
"""

TARGET = Path(__file__).resolve().parent.parent / "sfcode" / "metadata" / "schema.json"
XSD = "{http://www.w3.org/2001/XMLSchema}"
METADATA = "http://soap.sforce.com/2006/04/metadata"


def wsdl() -> Path:
    """Find the WSDL without importing the package, which would import requests and zeep."""
    spec = importlib.util.find_spec("simple_salesforce")
    if spec is None or spec.origin is None:
        raise SystemExit("simple_salesforce is not installed; it carries the WSDL")
    return Path(spec.origin).with_name("metadata.wsdl")


def types_schema(path: Path) -> etree._Element:
    """Find the schema of the metadata types in the WSDL."""
    document = etree.parse(path)
    for schema in document.iter(XSD + "schema"):
        if schema.get("targetNamespace") == METADATA:
            return schema
    raise SystemExit(f"{path} has no schema for {METADATA}")


def occurrence(particle: etree._Element) -> str:
    """Return how often an element occurs: "" once, "?" at most once, "*" any number; "~" if it may be nil."""
    optional = particle.get("minOccurs", "1") == "0"
    repeated = particle.get("maxOccurs", "1") == "unbounded"
    if repeated and not optional:
        raise SystemExit(f"{particle.get('name')}: one or more of an element is not foreseen")
    return ("*" if repeated else "?" if optional else "") + ("~" if particle.get("nillable") == "true" else "")


def own_children(kind: etree._Element) -> Iterator[tuple[str, str]]:
    """List the elements that a type itself declares: name with occurrence, and type."""
    for particle in kind.iter(XSD + "element"):
        yield f"{particle.get('name')}{occurrence(particle)}", (particle.get("type") or "").partition(":")[2]


def build(path: Path) -> dict[str, object]:
    """Return the table: each type's children in order, inherited ones first, and each enumeration's values."""
    schema = types_schema(path)
    complex_types = {kind.get("name"): kind for kind in schema.iterfind(XSD + "complexType")}
    enums = {
        kind.get("name"): [value.get("value") for value in kind.iter(XSD + "enumeration")]
        for kind in schema.iterfind(XSD + "simpleType")
    }

    def lineage(name: str) -> list[str]:
        extension = complex_types[name].find(f".//{XSD}extension")
        base = [] if extension is None else lineage((extension.get("base") or "").partition(":")[2])
        return [*base, name]

    def children(name: str) -> dict[str, str]:
        """List all children of a type. An enumeration without values, as the WSDL has some, is treated as text."""
        own_elements: dict[str, str] = {}
        for ancestor in lineage(name):
            for child, kind in own_children(complex_types[ancestor]):
                nil = "~" if (ancestor, child) in NIL_IN_ORGS else ""
                own_elements[child + nil] = "string" if enums.get(kind) == [] else kind
                own_elements |= ABSENT.get(ancestor, {}).get(child, {})
        return own_elements

    reached: dict[str, dict[str, str]] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in complex_types and name not in reached:
            reached[name] = children(name)
            waiting.extend(reached[name].values())
    used = {kind for kinds in reached.values() for kind in kinds.values()}
    version = re.search(r"Metadata API version (\S+)", path.read_text(encoding="utf-8"))
    if version is None:
        raise SystemExit(f"{path} does not say its version")
    return {
        "api_version": version[1],
        "metadata": sorted(name for name in reached if lineage(name)[0] == "Metadata"),
        "types": dict(sorted(reached.items())),
        "enums": {name: enums[name] for name in sorted(used & enums.keys())},
    }


def text(table: dict[str, object]) -> str:
    """Return the table with one type in each line, so that a change of the WSDL is a short diff."""
    sections = []
    for key, value in table.items():
        if isinstance(value, dict):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            sections.append(f"{json.dumps(key)}: {{\n{lines}\n}}")
        else:
            sections.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(build(wsdl())), encoding="utf-8")
    print(f"wrote {TARGET}")
