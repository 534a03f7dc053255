"""Parsing and rendering of metadata XML: safe, lossless, and in Salesforce's format."""

from __future__ import annotations

import pytest

from sfcode.metadata import schema_table
from sfcode.metadata.component import Component
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.types import _IDENTITIES, _UNORDERED, CHILDREN, TYPES
from sfcode.metadata.xml import MAX_BYTES, from_element, parse, to_bytes, to_element
from tests.metadata.negatives import FLOW, OBJECT, PERMISSION_SET, RESOURCE
from tests.metadata.samples import FORMULA, MESSAGE, RULE, USER_ID


def read(type_: str, text: str) -> Component:
    return from_element(type_, "Contact.One" if TYPES[type_].parent else "One", parse(text.encode(), "one.xml"))


def inside(type_: str, *lines: str) -> str:
    return f'<{type_} xmlns="http://soap.sforce.com/2006/04/metadata">\n' + "\n".join(lines) + f"\n</{type_}>"


def test_a_component_is_written_as_salesforce_writes_it() -> None:
    """The file has a declaration, four spaces of indentation, schema order, escaped quotes, and a final line feed."""
    assert (
        to_bytes(to_element(USER_ID)).decode()
        == """<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Appcues_User_Id__c</fullName>
    <externalId>false</externalId>
    <formula>IF(
    ISBLANK(Product_User_Id__c),
    &quot;&quot;,
    TEXT(Product_User_Id__c) &amp; &apos;&lt;&gt;&apos;
)</formula>
    <formulaTreatBlanksAs>BlankAsBlank</formulaTreatBlanksAs>
    <label>Appcues User Id</label>
    <type>Text</type>
    <unique>false</unique>
</CustomField>
"""
    )


@pytest.mark.parametrize("text", [FLOW, PERMISSION_SET, RESOURCE], ids=["flow", "permission set", "static resource"])
def test_a_file_from_salesforce_is_written_back_byte_by_byte(text: str) -> None:
    type_ = parse(text.encode()).tag.partition("}")[2]
    assert to_bytes(to_element(read(type_, text))).decode() == text


def test_values_are_typed_by_the_schema() -> None:
    """Booleans and integers are those of JSON, all other values are texts, and absent elements are absent keys."""
    assert read(
        "CustomField", inside("CustomField", "<label>true</label>", "<length> 12 </length>", "<unique>1</unique>")
    ).body == {
        "label": "true",
        "length": 12,
        "unique": True,
    }


def test_repeated_elements_are_keyed_by_what_identifies_them() -> None:
    assert read("PermissionSet", PERMISSION_SET).body == {
        "fieldPermissions": {"Contact.Title": {"editable": False, "readable": True}},
        "label": "Appcues Integration",
        "userPermissions": {"ApiEnabled": {"enabled": True}},
    }


def test_a_set_of_texts_is_sorted_and_an_ordered_list_is_not() -> None:
    fields = ["<fields>Id</fields>", "<fields>Email</fields>", "<fields>Id</fields>"]
    assert read("WorkflowOutboundMessage", inside("WorkflowOutboundMessage", *fields)).body == {
        "fields": ["Email", "Id"]
    }
    assert read("CompactLayout", inside("CompactLayout", *fields)).body == {"fields": ["Id", "Email", "Id"]}


def test_entries_with_the_same_name_stay_a_list() -> None:
    """A rule may have an alert and a task with the same name, and both are kept."""
    actions = [f"<actions><name>Notify</name><type>{type_}</type></actions>" for type_ in ("Task", "Alert")]
    rule = read(
        "WorkflowRule",
        inside("WorkflowRule", *actions, "<active>true</active>", "<triggerType>onAllChanges</triggerType>"),
    )
    assert rule.body["actions"] == [{"name": "Notify", "type": "Task"}, {"name": "Notify", "type": "Alert"}]
    assert from_element("WorkflowRule", "Contact.One", to_element(rule)) == rule


def test_text_is_unchanged_except_for_its_line_ends() -> None:
    """Blanks, tabs and line feeds in a text are kept; carriage returns are not."""
    data = inside("CustomField", f"<formula>{FORMULA}</formula>".replace("&", "&amp;").replace("<>", "&lt;&gt;"))
    assert read("CustomField", data.replace("\n", "\r\n")).body == {"formula": FORMULA}
    assert read("CustomField", inside("CustomField", "<description>\t a&#13;\n b </description>")).body == {
        "description": "\t a\n b "
    }
    assert read("CustomField", inside("CustomField", "<label>a<!-- note -->b<![CDATA[<c>]]></label>")).body == {
        "label": "ab<c>"
    }


def test_a_child_has_its_name_in_its_container_and_in_its_own_file() -> None:
    """The name without the object's name comes first, both in an element of a workflow and in a root element."""
    for element in (to_element(RULE), to_element(RULE, "rules")):
        assert element[0].tag == f"{{{schema_table.NAMESPACE}}}fullName"
        assert element[0].text == "Appcues_contact"
        assert from_element("WorkflowRule", RULE.full_name, element) == RULE


def test_nil_is_absence_and_is_written_only_if_the_schema_requires_it() -> None:
    nil = '<limit xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    lookup = f"<recordLookups><name>A</name><locationX>1</locationX><locationY>1</locationY>{nil}</recordLookups>"
    assert read("Flow", inside("Flow", lookup, "<label>x</label>")).body["recordLookups"] == {
        "A": {"locationX": 1, "locationY": 1}
    }
    record = Component("CustomMetadata", "Setting.One", {"values": {"A__c": {}}})
    assert b'<value xsi:nil="true"/>' in to_bytes(to_element(record))


def test_values_of_custom_metadata_keep_their_xml_type() -> None:
    record = Component(
        "CustomMetadata",
        "Setting.One",
        {
            "label": "One",
            "values": {
                "A__c": {"value": {"type": "boolean", "value": True}},
                "B__c": {"value": {"type": "string", "value": "x"}},
            },
        },
    )
    data = to_bytes(to_element(record))
    assert b'<value xsi:type="xsd:boolean">true</value>' in data
    assert from_element("CustomMetadata", "Setting.One", parse(data)) == record


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("<CustomField>\n</CustomFields>", (2, 16), "not well-formed XML: Opening and ending tag mismatch"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", (1, 1), "a DOCTYPE is not allowed"),
        ("", (1, 1), "not well-formed XML"),
        ("<a>&unknown;</a>", (1, 13), "not well-formed XML: Entity 'unknown' not defined"),
    ],
)
def test_invalid_xml_is_refused_with_its_position(body: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(MetadataError) as raised:
        parse(body.encode(), "objects/Contact.object")
    error = raised.value
    assert (error.line, error.column) == place
    assert str(error).startswith(f"objects/Contact.object:{place[0]}:{place[1]}: {message}")


def test_nested_entities_are_refused() -> None:
    """A file with ten levels of entities is not expanded."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(MetadataError):
        parse(f'<!DOCTYPE a [<!ENTITY l0 "x">{levels}]><a>&l9;</a>'.encode())


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MetadataError, match="more than 52428800 are not read"):
        parse(b" " * (MAX_BYTES + 1), "flows/A.flow")


@pytest.mark.parametrize(
    ("type_", "line", "message"),
    [
        (
            "CustomField",
            "<color>x</color>",
            "Element {http://soap.sforce.com/2006/04/metadata}color invalid at this location in type CustomField",
        ),
        (
            "CustomField",
            "<label>a</label><label>b</label>",
            "Element label is duplicated at this location in type CustomField",
        ),
        ("CustomField", "<unique>yes</unique>", "'yes' is not a valid value for the type xsd:boolean"),
        ("CustomField", "<length>1.5</length>", "'1.5' is not a valid value for the type xsd:int"),
        ("CustomField", "stray", "text is not allowed in an element of type CustomField: 'stray'"),
        ("CustomField", "<label><b/></label>", "Element b invalid at this location in type string"),
    ],
)
def test_an_unknown_element_is_refused_with_its_line(type_: str, line: str, message: str) -> None:
    with pytest.raises(MetadataError) as raised:
        from_element(type_, "Contact.One", parse(inside(type_, "", line).encode()), file="a.field-meta.xml")
    assert raised.value.problem == message
    assert raised.value.line in (1, 3)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (Component("Nonsense", "A", {}), "Nonsense is not a metadata type that sfcode knows"),
        (Component("CustomField", "C.A", {"color": "x"}), "CustomField:C.A: type CustomField has no element color"),
        (Component("CustomField", "C.A", {"label": {"a": "b"}}), "CustomField:C.A.label: a single value is needed"),
        (
            Component("CustomField", "C.A", {"label": "a\x00"}),
            "CustomField:C.A.label: the character U+0000 is not allowed in XML",
        ),
        (
            Component("WorkflowOutboundMessage", "C.A", {"fields": "Id"}),
            "WorkflowOutboundMessage:C.A.fields: a list is needed",
        ),
        (Component("CompactLayout", "C.A", {"fields": {"Id": {}}}), "CompactLayout:C.A.fields: a list is needed"),
    ],
)
def test_a_body_that_fits_no_file_is_refused(component: Component, message: str) -> None:
    with pytest.raises(MetadataError) as raised:
        to_element(component)
    assert str(raised.value).startswith(message)


def test_a_field_is_read_from_the_file_of_its_object() -> None:
    (field,) = [*parse(OBJECT.encode())]
    assert from_element("CustomField", "Contact.Appcues_Feedback__c", field).body == {
        "label": "Feedback",
        "length": 32768,
        "type": "LongTextArea",
        "visibleLines": 3,
    }


def test_a_secret_stays_a_placeholder() -> None:
    assert "${secret:SFCODE_RELAY_OUTBOUND_SECRET}" in to_bytes(to_element(MESSAGE)).decode()


def test_the_tables_of_types_name_elements_of_the_schema() -> None:
    """Each identity is an element of its items, and each element of a container has the type in the table."""
    for owner, identities in _IDENTITIES.items():
        for element, key in identities.items():
            item = (schema_table.elements(owner) or {})[element]
            assert item.repeated, (owner, element)
            assert (schema_table.elements(item.type) or {})[key].type == "string", (owner, element, key)
    for owner, elements in _UNORDERED.items():
        assert all((schema_table.elements(owner) or {})[element].repeated for element in elements)
    for owner, children in CHILDREN.items():
        specs = schema_table.elements(owner) or {}
        assert {element: specs[element].type for element in children} == children
    assert {name for name in TYPES if name not in schema_table.roots()} == set()
