"""
Parse an outbound message of Salesforce from its SOAP 1.1 envelope.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_wsdl.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.ingress.body import decode_text
from sfcode.relay.ingress.limits import KIB, IngressLimits
from sfcode.relay.ingress.responses import HttpError
from sfcode.relay.ingress.strict_json import REPLACEMENT
from sfcode.text import NOT_XML

if TYPE_CHECKING:
    from lxml.etree import _Element

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MOST = 100
"""The maximum number of notifications in a message."""

_CHUNK = 16 * KIB
_ENCODING = re.compile(r"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_REFERENCE = re.compile(r"&#(x[0-9a-fA-F]{1,8}|[0-9]{1,10});")
_SURROGATES = re.compile(
    r"&#(x[dD][89aAbB][0-9a-fA-F]{2}|5[5-6][0-9]{3});&#(x[dD][c-fC-F][0-9a-fA-F]{2}|5[6-7][0-9]{3});"
)
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


@dataclass(frozen=True, slots=True)
class Notification:
    """A changed record with its values at that time."""

    id: str
    type: str
    """Name of the record's object; "" if the message does not contain it."""
    fields: dict[str, str] | None
    """The fields with a value; None if the record cannot be parsed."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """The content of one POST request of Salesforce."""

    organization_id: str
    notifications: tuple[Notification, ...]


def parse(body: bytes, limits: IngressLimits) -> OutboundMessage:
    """Parse a message. Raises HttpError if it is malformed."""
    root = _tree(decode_text(body), limits)
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        is_envelope = root.tag.endswith("}Envelope")
        raise HttpError(400, "version_mismatch" if is_envelope else "not_a_message")
    _understand(root)
    (content,) = _exactly_one(root, f"{{{ENVELOPE}}}Body")
    (message,) = _exactly_one(content, f"{{{OUTBOUND}}}notifications")
    (organization,) = _exactly_one(message, f"{{{OUTBOUND}}}OrganizationId")
    notifications = message.findall(f"{{{OUTBOUND}}}Notification")
    if not 1 <= len(notifications) <= MOST:
        raise HttpError(400, "number_of_notifications")
    return OutboundMessage((organization.text or "").strip(), tuple(map(_notification, notifications)))


def _tree(text: str, limits: IngressLimits) -> _Element:
    """Parse in chunks, so that a document with too many elements is refused early."""
    from lxml import etree

    _check_text(text)
    text = _replace_forbidden(text)
    # With this encoding libxml2 ignores the encoding of the XML declaration.
    parser = etree.XMLPullParser(
        events=("start",),
        encoding="utf-8",
        huge_tree=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        resolve_entities=False,
    )
    data, count = text.encode(), 0
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
            count += sum(1 for _ in parser.read_events())
            if count > limits.xml_elements:
                raise HttpError(400, "too_many_elements")
        return parser.close()
    except (etree.XMLSyntaxError, ValueError):
        raise HttpError(400, "not_xml") from None


def _check_text(text: str) -> None:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise HttpError(400, "doctype")  # SOAP 1.1 forbids a DOCTYPE, and entities need one
    declared = _ENCODING.match(text)
    if declared is not None and declared[1].lower() not in ("utf-8", "us-ascii"):
        raise HttpError(400, "encoding")


def _replace_forbidden(text: str) -> str:
    """
    Replace characters that XML 1.0 forbids by U+FFFD: fields in Salesforce may contain them, and messages send them.

    One of them, also as a reference such as `&#x0B;`, would make the whole message with its up to 100 notifications
    unreadable. Halves of surrogate pairs written as two references are put together.
    """
    text = NOT_XML.sub(REPLACEMENT, text)
    if "&#" not in text:
        return text
    return _REFERENCE.sub(_replace_reference, _SURROGATES.sub(_join_surrogates, text))


def _join_surrogates(pair: re.Match[str]) -> str:
    high, low = _code_point(pair[1]), _code_point(pair[2])
    if not (0xD800 <= high <= 0xDBFF and 0xDC00 <= low <= 0xDFFF):
        return pair[0]
    return f"&#{0x10000 + ((high - 0xD800) << 10) + low - 0xDC00};"


def _replace_reference(reference: re.Match[str]) -> str:
    number = _code_point(reference[1])
    is_allowed = number in (0x9, 0xA, 0xD) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return reference[0] if is_allowed or 0x10000 <= number <= 0x10FFFF else REPLACEMENT


def _code_point(digits: str) -> int:
    return int(digits[1:], 16) if digits[0] == "x" else int(digits)


def _understand(root: _Element) -> None:
    """Refuse SOAP headers with mustUnderstand, since the relay supports none. Raises HttpError."""
    for header in root.findall(f"{{{ENVELOPE}}}Header/*"):
        if header.get(f"{{{ENVELOPE}}}mustUnderstand") in ("1", "true"):
            raise HttpError(400, "must_understand")


def _exactly_one(parent: _Element, tag: str) -> list[_Element]:
    elements = parent.findall(tag)
    if len(elements) != 1:
        raise HttpError(400, "not_a_message")
    return elements


def _notification(element: _Element) -> Notification:
    ids, records = element.findall(f"{{{OUTBOUND}}}Id"), element.findall(f"{{{OUTBOUND}}}sObject")
    id_ = (ids[0].text or "").strip() if len(ids) == 1 else ""
    if not _ID.fullmatch(id_) or len(records) > 1:
        return Notification(id_ if _ID.fullmatch(id_) else "", "", None)
    if not records:
        return Notification(id_, "", {})
    type_ = (records[0].get(f"{{{XSI}}}type") or "").rpartition(":")[2]
    try:
        fields = dict(_fields(records[0]))
    except ValueError:
        return Notification(id_, type_, None)
    return Notification(id_, type_, fields)


def _fields(record: _Element) -> Iterator[tuple[str, str]]:
    """Yield a record's fields by name. Raises ValueError for a nested or repeated field."""
    names = set()
    for field in record:
        name = field.tag.rpartition("}")[2]
        if len(field) or name in names:
            raise ValueError(name)
        names.add(name)
        if field.get(f"{{{XSI}}}nil") not in ("true", "1"):
            yield name, field.text or ""
