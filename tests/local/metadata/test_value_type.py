"""describeValueType: the elements of a type, as far as the WSDL contains them."""

from __future__ import annotations

import pytest

NS = "{http://soap.sforce.com/2006/04/metadata}"


def test_a_type_is_described_by_its_elements(org, kit) -> None:
    """The response has required, enumerated and nested elements; a type that contains itself is not expanded again."""
    root = org.soap(f"<describeValueType><type>{NS}Workflow</type></describeValueType>")
    fields = {element.findtext(f"{NS}name"): element for element in root.iter(f"{NS}valueTypeFields")}
    messages = {element.findtext(f"{NS}name"): element for element in fields["outboundMessages"].findall(f"{NS}fields")}
    assert messages["endpointUrl"].findtext(f"{NS}soapType") == "string"
    assert (messages["includeSessionId"].findtext(f"{NS}minOccurs"), messages["fields"].findtext(f"{NS}minOccurs")) == (
        "1",
        "0",
    )
    assert messages["fullName"].findtext(f"{NS}isNameField") == "true"


def test_an_unknown_type_is_refused(org, kit) -> None:
    """The fault contains the requested name."""
    with pytest.raises(Exception, match="INVALID_TYPE: Unknown type:Ghost"):
        org.soap("<describeValueType><type>Ghost</type></describeValueType>")
