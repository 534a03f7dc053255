"""
Compare an answer of the local org with the answer of a real org.

Values that differ between orgs are written as placeholders, alone or within a text: `<id>`, `<time>`, `<url>`,
`<email>`, `<number>`, `<text>` (not empty) and `<any>`. An object with the key `<more>` may have further keys, and a
list that ends in `<more>` may have further items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

MORE = "<more>"
PATTERNS = {
    "<id>": r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?",
    "<time>": r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?",
    "<url>": r"(?:https?://\S+|/services/\S+)",
    "<email>": r"\S+@\S+",
    "<number>": r"-?\d+(?:\.\d+)?",
    "<text>": r"(?s:.+)",
    "<any>": r"(?s:.*)",
}
_PLACEHOLDER = re.compile("|".join(map(re.escape, PATTERNS)))


def differences(actual: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Yield each difference of an answer, with both values."""
    place = path or "the answer"
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield f"{place}: {actual!r} is no object"
            return
        for key in expected.keys() - {MORE}:
            if key in actual:
                yield from differences(actual[key], expected[key], f"{path}.{key}" if path else str(key))
            else:
                yield f"{place}: {key} is missing"
        if MORE not in expected:
            yield from (f"{place}: {key} is not expected" for key in sorted(actual.keys() - expected.keys()))
    elif isinstance(expected, list):
        yield from _list_differences(actual, expected, path)
    elif isinstance(expected, str):
        if not _matches(actual, expected):
            yield f"{place}: {actual!r} is not {expected!r}"
    elif actual != expected or isinstance(actual, bool) is not isinstance(expected, bool):
        yield f"{place}: {actual!r} is not {expected!r}"


def _list_differences(actual: Any, expected: list[Any], path: str) -> Iterator[str]:
    place = path or "the answer"
    if not isinstance(actual, list):
        yield f"{place}: {actual!r} is no list"
        return
    expected_items = expected[:-1] if expected[-1:] == [MORE] else expected
    if len(actual) < len(expected_items) or (expected_items is expected and len(actual) > len(expected_items)):
        yield f"{place}: {len(actual)} items, not {len(expected_items)}: {actual!r}"
        return
    for index, item in enumerate(expected_items):
        yield from differences(actual[index], item, f"{path}[{index}]")


def _matches(actual: Any, expected: str) -> bool:
    if expected == "<any>":
        return True
    if expected == "<number>":
        return (isinstance(actual, int | float) and not isinstance(actual, bool)) or bool(
            isinstance(actual, str) and re.fullmatch(PATTERNS[expected], actual)
        )
    if not isinstance(actual, str):
        return False
    position, pattern = 0, ""
    for match in _PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[position : match.start()]) + PATTERNS[match[0]]
        position = match.end()
    return re.fullmatch(pattern + re.escape(expected[position:]), actual) is not None


def xml_as_json(body: bytes) -> Any:
    """Return an XML document as objects by local names; repeated elements become a list, and an empty element null."""
    root = etree.fromstring(body)
    return {etree.QName(root).localname: _element(root)}


def _element(element: etree._Element) -> Any:
    children = list(element.iterchildren("*"))
    if not children:
        return element.text
    children_by_name: dict[str, Any] = {}
    for child in children:
        name, value = etree.QName(child).localname, _element(child)
        if name not in children_by_name:
            children_by_name[name] = value
        else:
            children_by_name[name] = [
                *(children_by_name[name] if isinstance(children_by_name[name], list) else [children_by_name[name]]),
                value,
            ]
    return children_by_name
