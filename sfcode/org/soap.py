"""SOAP of the Metadata API: render requests, parse results and faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias, cast

from lxml import etree

from sfcode.errors import OrgError
from sfcode.secret import Secret

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
METADATA = "http://soap.sforce.com/2006/04/metadata"
NAMESPACES = cast("dict[str, str]", {"soapenv": ENVELOPE, None: METADATA})
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

Fields: TypeAlias = "Iterable[tuple[str, Node]]"
"""Elements in the order of the WSDL."""

Node: TypeAlias = "str | bool | Fields"


def render_envelope(operation: str, fields: Fields, token: Secret) -> bytes:
    """Render a request. Everything is escaped by the XML library."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=NAMESPACES)
    header = etree.SubElement(root, f"{{{ENVELOPE}}}Header")
    _append(header, "SessionHeader", [("sessionId", token.reveal())])
    _append(etree.SubElement(root, f"{{{ENVELOPE}}}Body"), operation, fields)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _append(parent: etree._Element, name: str, node: Node) -> None:
    element = etree.SubElement(parent, f"{{{METADATA}}}{name}")
    if isinstance(node, bool):
        element.text = "true" if node else "false"
    elif isinstance(node, str):
        try:
            element.text = node
        except ValueError as error:
            raise OrgError(f"{name} contains a character that XML does not allow: {node!r}") from error
    else:
        for child, value in node:
            _append(element, child, value)


def parse_answer(data: bytes, operation: str) -> tuple[etree._Element, ...]:
    """
    Parse a response and return its `result` elements.

    Raises:
        OrgError: The response is a fault; `code` is the org's error code.
        NotSoap: The response is anything else.

    """
    body = next((child for child in parse_envelope(data) if local_name(child) == "Body"), None)
    first = next(iter(body), None) if body is not None else None
    if first is None:
        raise NotSoap("The org's response is a SOAP envelope without content.")
    name = local_name(first)
    if name == "Fault":
        raise _fault(first)
    if name != f"{operation}Response":
        raise NotSoap(f"The org answered {operation} with {name}.")
    return tuple(child for child in first if local_name(child) == "result")


class NotSoap(OrgError):
    """Raised for a response that is not from the Metadata API."""


def parse_envelope(data: bytes) -> etree._Element:
    """
    Parse XML without DTD, entities or network. The caller limits its size.

    The encoding is fixed, since a declared UTF-16 or UTF-7 would hide a DTD from the check.
    """
    if b"<!DOCTYPE" in data or b"\0" in data:
        raise NotSoap("The org's response contains a document type declaration, which SOAP forbids.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,  # a retrieved zip is one text, which may exceed libxml2's default limit of 10 MB
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotSoap(f"The org's response is not XML: {error}") from error
    if root is None or local_name(root) != "Envelope":
        raise NotSoap("The org's response is not a SOAP envelope.")
    return root


def _fault(element: etree._Element) -> OrgError:
    code = text(element, "faultcode").rpartition(":")[2]
    message = text(element, "faultstring")
    details = message.removeprefix(f"{code}:").strip()
    return OrgError(f"{code}: {details}" if details else code or "The org returned an empty fault.", code=code)


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Return the child elements of a name, in any namespace, without those that are nil."""
    return (child for child in element if local_name(child) == name and child.get(NIL) != "true")


def text(element: etree._Element, name: str) -> str:
    """Return the text of a child element; "" when it is absent or nil."""
    return next((child.text or "" for child in children(element, name)), "")


def texts(element: etree._Element, name: str) -> tuple[str, ...]:
    """Return the texts of all child elements of a name."""
    return tuple(child.text or "" for child in children(element, name))


def flag(element: etree._Element, name: str) -> bool:
    """Return an xsd:boolean; False when it is absent."""
    return text(element, name).strip() in ("true", "1")


def number(element: etree._Element, name: str) -> int | None:
    """Return an xsd:int; None when it is absent."""
    value = text(element, name).strip()
    if not value:
        return None
    try:
        return int(value)
    except ValueError as error:
        raise NotSoap(f"The org's response has {name} = {value!r} instead of a number.") from error
