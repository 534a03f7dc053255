"""
The wire format of an outbound message: the SOAP request with notifications, and the Ack.

The form is that of messages captured from an org:
https://github.com/amp-labs/connectors/tree/main/providers/salesforce/test/subscription
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.store import Scalar
from sfcode.text import NOT_XML

if TYPE_CHECKING:
    from sfcode.local.sobjects.model import FieldDef

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
MAX_NOTIFICATIONS = 100
"""The maximum number of notifications in a message."""
MAX_ACK = 64 * 1024

_REALS = frozenset({"currency", "double", "percent"})
_PLAIN = (Decimal("0.001"), Decimal(10_000_000))
"""The range of numbers that are written without an exponent, as in Java."""


@dataclass(frozen=True, slots=True)
class MessageItem:
    """One notification: its ID, and the record's fields as texts; None if the record was deleted."""

    notification_id: str
    fields: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class MessageSource:
    """The sender of a message: the org, its URL, the action, the API version and the object."""

    org_id: str
    url: str
    action_id: str
    api_version: str
    object_name: str


def envelope(sender: MessageSource, items: Sequence[MessageItem]) -> bytes:
    """Write the SOAP message of up to a hundred notifications."""
    version = f"{float(sender.api_version):.1f}"
    enterprise, partner = (f"{sender.url}/services/Soap/{kind}/{version}/{sender.org_id[:15]}" for kind in "cu")
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="{OUTBOUND}">
   <OrganizationId>{sender.org_id}</OrganizationId>
   <ActionId>{sender.action_id}</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>{escape(enterprise, quote=False)}</EnterpriseUrl>
   <PartnerUrl>{escape(partner, quote=False)}</PartnerUrl>
{"".join(_notification(sender, item) for item in items)}\
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>""".encode()


def _notification(sender: MessageSource, item: MessageItem) -> str:
    opening = f'<sObject xsi:type="sf:{sender.object_name}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"'
    if item.fields is None:
        record = f"    {opening}/>\n"
    else:
        lines = "".join(f"     <sf:{name}>{_text(value)}</sf:{name}>\n" for name, value in item.fields)
        record = f"    {opening}>\n{lines}    </sObject>\n"
    return f"   <Notification>\n    <Id>{item.notification_id}</Id>\n{record}   </Notification>\n"


def _text(value: str) -> str:
    return escape(NOT_XML.sub("�", value), quote=False).replace("\r", "&#13;")


def format_value(field: FieldDef, value: Scalar) -> str | None:
    """Format a value as its XML Schema type; None for a null, which is left out."""
    if field.type == "boolean":
        return "true" if value else "false"
    if value is None:
        return None
    if field.type in _REALS:
        return java_double(float(value))
    if field.type == "int":
        return str(int(value))
    if field.type == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)


def java_double(value: float) -> str:
    """Format a number as Java does: `1001.0`, and `1.39E8` from ten million on."""
    number = Decimal(repr(value))
    if not number or _PLAIN[0] <= abs(number) < _PLAIN[1]:
        plain = format(number, "f")
        return plain if "." in plain else f"{plain}.0"
    sign, digits, _ = number.normalize().as_tuple()
    head, tail = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{head}.{tail}E{number.adjusted()}"


def check_ack(status: int, body: bytes) -> str | None:
    """Return None if a response is an Ack, otherwise a description of the problem."""
    if status != 200:
        return f"the endpoint answered {status}"
    from lxml import etree

    if len(body) > MAX_ACK or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return "the answer is no acknowledgment"
    try:
        root = etree.fromstring(
            body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
        )
    except (etree.XMLSyntaxError, ValueError):
        return "the answer is no XML"
    ack = root.find(f"{{{ENVELOPE}}}Body/{{{OUTBOUND}}}notificationsResponse/{{{OUTBOUND}}}Ack")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or ack is None:
        return "the answer has no Ack"
    return None if (ack.text or "").strip() in ("true", "1") else "the answer's Ack is not true"
