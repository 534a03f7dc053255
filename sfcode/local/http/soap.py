"""SOAP envelopes of the Metadata API: requests of any client, responses in the org's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from lxml import etree

from sfcode.lazy_dataclasses import dataclass
from sfcode.text import NOT_XML

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
METADATA = "http://soap.sforce.com/2006/04/metadata"
FAULTS = "urn:fault.partner.soap.sforce.com"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

Node = Mapping[str, Any] | Sequence[Any] | str | bool | int | None
"""A value in a response: a mapping is an element with children, a list repeats the element, and None omits it."""


class Raw(str):
    """XML that is written without escaping."""

    __slots__ = ()


class SoapFault(Exception):
    """A SOAP fault; `code` is Salesforce's, without `sf:`."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.detail = detail
        """The WSDL's element that repeats code and message in the detail, such as `LoginFault`."""


@dataclass(frozen=True)
class SoapCall:
    """One request: the operation, its element, and the session ID."""

    operation: str
    element: etree._Element
    session_id: str | None
    all_or_none: bool = False


def read(data: bytes) -> SoapCall:
    """Parse an envelope by local names, whatever its prefixes and order. Raises SoapFault."""
    root = _parse(data)
    if etree.QName(root).localname != "Envelope":
        raise SoapFault("INVALID_SOAP_HEADER", "the request is not a SOAP envelope")
    body = child(root, "Body")
    operation = None if body is None else next(body.iterchildren("*"), None)
    if operation is None:
        raise SoapFault("UNKNOWN_EXCEPTION", "the SOAP body is empty")
    header = child(root, "Header")
    session = None if header is None else child(header, "SessionHeader")
    session_id = None if session is None else text(session, "sessionId")
    atomic = None if header is None else child(header, "AllOrNoneHeader")
    all_or_none = atomic is not None and flag(atomic, "allOrNone", default=False)
    return SoapCall(etree.QName(operation).localname, operation, session_id, all_or_none)


def _parse(data: bytes) -> etree._Element:
    # libxml2's limits are off, since a zip is one text that exceeds them. They protect against entities, which are
    # refused here: an entity needs a DOCTYPE, and UTF-8 cannot hide one.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise SoapFault("UNKNOWN_EXCEPTION", "a DOCTYPE is not allowed")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SoapFault("UNKNOWN_EXCEPTION", f"the request is not well-formed XML: {error.msg}") from None


def child(element: etree._Element, name: str) -> etree._Element | None:
    """Find a child by its local name, in any namespace and with either case of the first letter."""
    return next(children(element, name), None)


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """List children by local name, with either case of the first letter: `deploy` accepts ZipFile and zipFile."""
    spellings = {name, name[:1].upper() + name[1:], name[:1].lower() + name[1:]}
    return (node for node in element.iterchildren("*") if etree.QName(node).localname in spellings)


def text(element: etree._Element, name: str) -> str | None:
    """Return the stripped text of a child; None when it is absent or empty."""
    node = child(element, name)
    return None if node is None else (node.text or "").strip() or None


def require(element: etree._Element, name: str) -> str:
    """Return the text of a child. Raises SoapFault if it is missing."""
    content = text(element, name)
    if content is None:
        raise SoapFault("INVALID_FIELD", f"Required field is missing: {name}")
    return content


def texts(element: etree._Element, name: str) -> list[str]:
    """Return the texts of all children with a name, without empty ones."""
    return [node.text.strip() for node in children(element, name) if node.text and node.text.strip()]


def flag(element: etree._Element, name: str, *, default: bool) -> bool:
    """Parse a boolean child; clients send true, True and 1."""
    content = text(element, name)
    return default if content is None else content.lower() in {"true", "1"}


def answer(operation: str, results: Sequence[Node], namespace: str = METADATA) -> bytes:
    """Render the envelope of a response; each result is one `<result>` without prefix."""
    inner = "".join(_write("result", result) for result in results)
    return _envelope(f' xmlns="{namespace}"', f"<{operation}Response>{inner}</{operation}Response>")


def fault(error: SoapFault) -> bytes:
    """Render the envelope of a fault."""
    message, detail = escape(_clean(error.message), quote=False), ""
    if error.detail:
        text = f"<sf:exceptionCode>{error.code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>"
        detail = f'<detail><sf:{error.detail} xsi:type="sf:{error.detail}">{text}</sf:{error.detail}></detail>'
    return _envelope(
        f' xmlns:sf="{FAULTS}"',
        f"<soapenv:Fault><faultcode>sf:{error.code}</faultcode>"
        f"<faultstring>{error.code}: {message}</faultstring>{detail}</soapenv:Fault>",
    )


def _envelope(namespaces: str, body: str) -> bytes:
    head = f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsd="{XSD}" xmlns:xsi="{XSI}"{namespaces}>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'.encode()
    )


def _write(name: str, value: Node) -> str:
    if value is None:
        return ""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Mapping):
        attributes = "".join(f' {key[1:]}="{escape(str(member))}"' for key, member in value.items() if key[:1] == "@")
        inner = "".join(_write(key, member) for key, member in value.items() if key[:1] != "@")
        return f"<{name}{attributes}>{inner}</{name}>"
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    if isinstance(value, str | int):
        return f"<{name}>{escape(_clean(str(value)), quote=False)}</{name}>"
    return "".join(_write(name, member) for member in value)


def _clean(value: str) -> str:
    return NOT_XML.sub("�", value)
