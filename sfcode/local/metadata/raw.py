"""Read components that are stored unchanged: elements of types whose contents the local org does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from sfcode.local.store import Stored
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.package import unzip
from sfcode.metadata.xml import parse


def read_raw(stored: Stored) -> dict[str, list[Any]]:
    """Return the children of a stored element by name, each a text or a dictionary of the same form; {} if it is not XML."""
    raw = stored.raw or b"<none/>"
    data = next(iter(unzip(raw).values()), b"") if raw.startswith(b"PK") else raw
    try:
        content = _plain(parse(data))
    except MetadataError:
        return {}
    return content if isinstance(content, dict) else {}


def _plain(element: etree._Element) -> str | dict[str, list[Any]]:
    children: dict[str, list[Any]] = {}
    for child in element.iterchildren("{*}*"):
        children.setdefault(etree.QName(child).localname, []).append(_plain(child))
    return children or (element.text or "").strip()


def read_text(rule: Mapping[str, list[Any]], name: str) -> str:
    """Return the text of a child, empty where it is missing."""
    return str(rule.get(name, [""])[-1])
