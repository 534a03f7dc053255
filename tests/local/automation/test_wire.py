"""The bytes of an outbound message, and its Ack."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sfcode.local.automation.message import MessageItem, MessageSource, check_ack, envelope, format_value, java_double
from sfcode.local.sobjects.model import FieldDef
from tests.local.automation.receiver import ACK

CAPTURED = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00Dxx0000001gPFEAY</OrganizationId>
   <ActionId>04kxx00000000blBAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://yourInstance.salesforce.com/services/Soap/c/60.0/00Dxx0000001gPF</EnterpriseUrl>
   <PartnerUrl>https://yourInstance.salesforce.com/services/Soap/u/60.0/00Dxx0000001gPF</PartnerUrl>
   <Notification>
    <Id>04lxx000000CaSeAAK</Id>
    <sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>003xx000004TmiQAAS</sf:Id>
     <sf:CreatedDate>2026-08-26T23:25:15.000Z</sf:CreatedDate>
     <sf:LastModifiedDate>2026-09-09T00:41:57.000Z</sf:LastModifiedDate>
    </sObject>
   </Notification>
   <Notification>
    <Id>04lxx000000CaSfAAK</Id>
    <sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>003xx000004TmiRAAS</sf:Id>
     <sf:CreatedDate>2026-08-26T23:28:35.000Z</sf:CreatedDate>
     <sf:LastModifiedDate>2026-09-09T00:41:57.000Z</sf:LastModifiedDate>
    </sObject>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""
SENDER = MessageSource(
    "00Dxx0000001gPFEAY", "https://yourInstance.salesforce.com", "04kxx00000000blBAA", "60.0", "Contact"
)


def item(notification: str, record: str, created: str) -> MessageItem:
    moment = FieldDef("CreatedDate", "datetime")
    fields = [("Id", record), ("CreatedDate", format_value(moment, created))]
    fields.append(("LastModifiedDate", format_value(moment, "2026-09-09T00:41:57.000+0000")))
    return MessageItem(notification, tuple((name, value or "") for name, value in fields))


def test_a_message_equals_the_captured_one_byte_for_byte():
    items = [
        item("04lxx000000CaSeAAK", "003xx000004TmiQAAS", "2026-08-26T23:25:15.000+0000"),
        item("04lxx000000CaSfAAK", "003xx000004TmiRAAS", "2026-08-26T23:28:35.000+0000"),
    ]
    assert envelope(SENDER, items) == CAPTURED


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("boolean", True, "true"),
        ("boolean", None, "false"),
        ("date", "2026-09-09", "2026-09-09"),
        ("datetime", "2026-09-09T00:41:57.123+0000", "2026-09-09T00:41:57.123Z"),
        ("time", "10:30:00.000Z", "10:30:00.000Z"),
        ("double", 1001.0, "1001.0"),
        ("currency", 139000000.0, "1.39E8"),
        ("percent", -0.5, "-0.5"),
        ("int", 12, "12"),
        ("string", "Jörg", "Jörg"),
        ("string", None, None),
        ("double", None, None),
    ],
)
def test_values_are_written_by_their_type_and_nulls_left_out(kind, value, text):
    assert format_value(FieldDef("X", kind), value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0.0"), (9999999.0, "9999999.0"), (1e7, "1.0E7"), (-12345678.9, "-1.23456789E7"), (0.0001, "1.0E-4")],
)
def test_large_and_small_numbers_have_an_exponent(number, text):
    assert java_double(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_as_itself(number):
    assert float(java_double(number)) == number


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_every_text_makes_a_message_that_parses_to_the_text(text):
    root = etree.fromstring(envelope(SENDER, [MessageItem("04l", (("Id", "003"), ("Title", text)))]))
    (element,) = root.iter("{urn:sobject.enterprise.soap.sforce.com}Title")
    clean = (
        "".join(char for char in text if char in "\t\n\r" or char >= " ").replace("\ufffe", "�").replace("\uffff", "�")
    )
    parsed_text = (element.text or "").replace("�", "")
    assert parsed_text == clean.replace("�", "")


def test_a_deleted_record_gives_a_notification_without_data():
    root = etree.fromstring(envelope(SENDER, [MessageItem("04lxx000000CaSeAAK", None)]))
    (record,) = root.iter("{http://soap.sforce.com/2005/09/outbound}sObject")
    assert (len(record), record.text) == (0, None)


def test_an_ack_is_recognized():
    assert check_ack(200, ACK) is None
    assert check_ack(200, ACK.replace(b">true<", b"> 1 <")) is None


@pytest.mark.parametrize(
    "answer",
    [
        (500, ACK),
        (302, ACK),
        (202, ACK),
        (200, b""),
        (200, b"OK"),
        (200, b"<html/>"),
        (200, ACK.replace(b">true<", b">false<")),
        (200, ACK.replace(b"2005/09/outbound", b"2005/09/other")),
        (200, ACK.replace(b"Ack>", b"ack>")),
        (200, b"<!DOCTYPE x [<!ENTITY a 'true'>]>" + ACK),
        (200, b"\xff\xfe" + ACK),
    ],
)
def test_other_responses_are_failures(answer):
    assert check_ack(*answer)
