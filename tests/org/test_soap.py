from __future__ import annotations

import pytest
from lxml import etree

from sfcode.errors import OrgError
from sfcode.org import DeployOptions, soap
from sfcode.secret import Secret
from tests.org.servers import envelope, fault

BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>"""


def test_writes_the_session_id_and_every_value_escaped() -> None:
    data = soap.render_envelope("readMetadata", [("type", "A<b>&\"'"), ("fullNames", "]]>")], Secret("00D!<&>"))
    root = etree.fromstring(data)
    texts = {etree.QName(element).localname: element.text for element in root.iter() if element.text}
    assert texts == {"sessionId": "00D!<&>", "type": "A<b>&\"'", "fullNames": "]]>"}


def test_refuses_characters_that_xml_cannot_hold() -> None:
    with pytest.raises(OrgError, match="fullNames contains a character"):
        soap.render_envelope("readMetadata", [("fullNames", "a\x00b")], Secret("x"))


def test_deploy_options_come_in_the_order_of_the_wsdl() -> None:
    from simple_salesforce import metadata

    wsdl = etree.parse(metadata.__file__.replace("metadata.py", "metadata.wsdl"))
    names = wsdl.xpath(
        "//x:complexType[@name='DeployOptions']//x:element/@name", namespaces={"x": "http://www.w3.org/2001/XMLSchema"}
    )
    options = DeployOptions(check_only=True, test_level="RunSpecifiedTests", run_tests=("A", "B"))
    element_names = [name for name, _ in options.fields()]
    assert list(dict.fromkeys(element_names)) == names
    assert [value for name, value in options.fields() if name == "runTests"] == ["A", "B"]


def test_options_default_to_all_or_nothing() -> None:
    fields = dict(DeployOptions().fields())
    assert fields["rollbackOnError"] is True
    assert fields["ignoreWarnings"] is False
    assert fields["checkOnly"] is False
    assert "testLevel" not in fields


def test_a_fault_becomes_an_error_with_the_code_of_the_org() -> None:
    with pytest.raises(OrgError) as caught:
        soap.parse_answer(fault("INVALID_TYPE", "no such type").body, "listMetadata")
    assert caught.value.code == "INVALID_TYPE"
    assert caught.value.message == "INVALID_TYPE: no such type"


@pytest.mark.parametrize("prefix", ["", "x:", "soap-env:"])
def test_reads_results_in_whatever_namespace_prefix(prefix: str) -> None:
    name = prefix.rstrip(":")
    declared = f' xmlns:{name}="{soap.METADATA}"' if name else f' xmlns="{soap.METADATA}"'
    body = f"<{prefix}describeResponse{declared}><{prefix}result>7</{prefix}result></{prefix}describeResponse>"
    (result,) = soap.parse_answer(envelope(body).body, "describe")
    assert result.text == "7"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body>Maintenance</body></html>",
        b"not xml",
        b"<a><b></a>",
        b"\xff\xfe<\x00a\x00>\x00",
        BILLION_LAUGHS,
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"),
        envelope("").body,
        envelope("<otherResponse/>").body,
    ],
)
def test_a_response_that_is_not_soap_is_reported(data: bytes) -> None:
    with pytest.raises(soap.NotSoap):
        soap.parse_answer(data, "deploy")


def test_nil_elements_count_as_absent() -> None:
    (result,) = soap.parse_answer(
        envelope('<xResponse><result><a xsi:nil="true"/><b>1</b><c/></result></xResponse>').body, "x"
    )
    assert soap.text(result, "a") == soap.text(result, "c") == ""
    assert soap.number(result, "a") is None
    assert soap.number(result, "b") == 1
    assert soap.flag(result, "b") is True
    assert soap.flag(result, "missing") is False


def test_an_invalid_number_is_reported() -> None:
    (result,) = soap.parse_answer(envelope("<xResponse><result><n>many</n></result></xResponse>").body, "x")
    with pytest.raises(soap.NotSoap, match="n = 'many'"):
        soap.number(result, "n")
