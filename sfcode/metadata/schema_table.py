"""
The elements of each metadata type: names in order, cardinality and types.

`schema.json` is made from the Metadata API's WSDL by `scripts/build_schema.py`. A child's name ends
in `?` when it may be absent and in `*` when it may be repeated; a further `~` allows xsi:nil.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sfcode.lazy_dataclasses import dataclass

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True)
class Element:
    """One child element of a type."""

    name: str
    type: str
    """Another type of the table, an enumeration, or an XSD type without prefix: `string`, `boolean`, `int`, ..."""
    required: bool = False
    repeated: bool = False
    nillable: bool = False


def _element(spec: str, type_: str) -> Element:
    name = spec.rstrip("?*~")
    occurrence = spec[len(name) :]
    return Element(name, type_, not occurrence.strip("~"), "*" in occurrence, "~" in occurrence)


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_bytes())
    return data


def api_version() -> str:
    """Return the version of the WSDL that the table is made from."""
    version: str = _data()["api_version"]
    return version


@lru_cache(512)
def elements(type_: str) -> Mapping[str, Element] | None:
    """Return the children of a complex type in schema order; None if there is no such type."""
    specs = _data()["types"].get(type_)
    return None if specs is None else {child.name: child for child in (_element(*spec) for spec in specs.items())}


def is_declared(type_: str) -> bool:
    """Return whether a type is complex or an enumeration, and not one of XSD."""
    return type_ in _data()["types"] or type_ in _data()["enums"]


@lru_cache(512)
def values(type_: str) -> frozenset[str] | None:
    """Return the values of an enumeration; None if there is no such enumeration."""
    allowed = _data()["enums"].get(type_)
    return None if allowed is None else frozenset(allowed)


@cache
def roots() -> frozenset[str]:
    """List the types that may be the root of a metadata file."""
    return frozenset(_data()["metadata"])
