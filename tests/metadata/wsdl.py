"""The schemas of the complete WSDL, built independently of sfcode, to compare its reduced schemas with them."""

from __future__ import annotations

import copy
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
XSD = "{http://www.w3.org/2001/XMLSchema}"
METADATA = "http://soap.sforce.com/2006/04/metadata"


@cache
def build_script() -> ModuleType:
    """Import scripts/build_schema.py, which is not a module of the package."""
    spec = importlib.util.spec_from_file_location("build_schema", ROOT / "scripts" / "build_schema.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read_wsdl() -> etree._Element:
    """Copy the schema of the metadata types, with a global element for each type of metadata."""
    types = build_script().types_schema(build_script().wsdl())
    schema = etree.Element(
        XSD + "schema",
        {"targetNamespace": METADATA, "elementFormDefault": "qualified"},
        nsmap={"xsd": XSD[1:-1], "tns": METADATA},
    )
    schema.extend(copy.deepcopy(child) for child in types)
    bases = _bases(schema)
    present = {element.get("name") for element in schema.iterfind(XSD + "element")}
    for name in bases:
        ancestor = name
        while ancestor in bases:
            ancestor = bases[ancestor]
        if ancestor == "Metadata" and name not in present:
            etree.SubElement(schema, XSD + "element", {"name": name, "type": f"tns:{name}"})
    return schema


def _bases(schema: etree._Element) -> dict[str, str]:
    return {
        str(kind.get("name")): str(extension.get("base")).removeprefix("tns:")
        for kind in schema.iterfind(XSD + "complexType")
        if (extension := kind.find(f".//{XSD}extension")) is not None
    }


@cache
def strict() -> etree.XMLSchema:
    """Return the WSDL's own schema."""
    return etree.XMLSchema(_read_wsdl())


@cache
def loose() -> etree.XMLSchema:
    """Return the WSDL's schema without order and numbers of elements: names, enumerations and simple types only."""
    schema = _read_wsdl()
    kinds = {str(kind.get("name")): kind for kind in schema.iterfind(XSD + "complexType")}
    bases = _bases(schema)

    def particles(name: str) -> dict[str, etree._Element]:
        inherited = particles(bases[name]) if name in bases else {}
        return inherited | {str(part.get("name")): part for part in kinds[name].iter(XSD + "element")}

    parts_by_kind = {name: particles(name) for name in kinds if kinds[name].find(f".//{XSD}any") is None}
    for name, parts in parts_by_kind.items():
        kind = kinds[name]
        kind[:] = []
        choice = etree.SubElement(kind, XSD + "choice", {"minOccurs": "0", "maxOccurs": "unbounded"})
        for part in parts.values():
            plain = {key: value for key, value in part.attrib.items() if key not in ("minOccurs", "maxOccurs")}
            etree.SubElement(choice, XSD + "element", plain)
    return etree.XMLSchema(schema)
