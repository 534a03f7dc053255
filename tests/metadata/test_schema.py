"""The schema table, the strict schema, and the validation of files, compared with the WSDL itself."""

from __future__ import annotations

import pytest
from lxml import etree

from sfcode.metadata import schema_table
from sfcode.metadata.package import write
from sfcode.metadata.schema import SchemaProblem, validate_loosely, validate_strictly, xsd
from tests.metadata import wsdl
from tests.metadata.negatives import FLOW, GOOD, NEGATIVES, PERMISSION_SET, WORKFLOW, Negative
from tests.metadata.samples import ALL

by_name = pytest.mark.parametrize("sample", NEGATIVES, ids=lambda sample: sample.name)


def test_the_table_matches_the_wsdl() -> None:
    """Building schema.json again from the installed WSDL results in the committed file."""
    script = wsdl.build_script()
    assert script.TARGET.read_text(encoding="utf-8") == script.text(script.build(script.wsdl()))


def test_the_table_is_of_the_version_that_is_sent_by_default() -> None:
    assert schema_table.api_version() == "63.0"


@pytest.mark.parametrize("type_", GOOD)
def test_a_valid_file_passes_each_schema(type_: str) -> None:
    data = GOOD[type_].encode()
    assert wsdl.strict().validate(etree.fromstring(data))
    assert validate_strictly(data) == validate_loosely(data, type_) == ()


@by_name
def test_the_reduced_schema_decides_as_the_whole_one(sample: Negative) -> None:
    """The reduced schema accepts and refuses the same files as the WSDL's."""
    document = etree.fromstring(sample.text.encode())
    assert wsdl.strict().validate(document) is sample.strict
    assert (validate_strictly(sample.text.encode()) == ()) is sample.strict


@pytest.mark.parametrize(
    "sample", [item for item in NEGATIVES if item.name != "workflow, wrong root"], ids=lambda sample: sample.name
)
def test_a_schema_with_the_elements_of_a_file_decides_as_the_whole_one(sample: Negative) -> None:
    document = etree.fromstring(sample.text.encode())
    names = frozenset(etree.QName(element).localname for element in document.iter("*"))
    schema = etree.XMLSchema(etree.fromstring(xsd(etree.QName(document).localname, names)))
    assert schema.validate(document) is sample.strict


@pytest.mark.parametrize("type_", sorted(GOOD.keys() - {"StaticResource"}))  # this type has no optional elements
def test_a_schema_with_other_elements_accepts_no_more_files(type_: str) -> None:
    """A schema without optional elements refuses the valid file, which is then validated with a larger schema."""
    schema = etree.XMLSchema(etree.fromstring(xsd(type_, frozenset())))
    assert not schema.validate(etree.fromstring(GOOD[type_].encode()))
    assert len(xsd(type_, frozenset())) < len(xsd(type_)) / 2
    assert validate_strictly(GOOD[type_].encode()) == ()


@by_name
def test_an_org_refuses_what_the_loose_schema_refuses(sample: Negative) -> None:
    """An org's validation finds all problems of the loose schema, and in addition repeated and missing elements."""
    assert wsdl.loose().validate(etree.fromstring(sample.text.encode())) is sample.loose
    assert sample.loose or validate_loosely(sample.text.encode())


@by_name
def test_the_validation_uses_an_orgs_messages_and_positions(sample: Negative) -> None:
    """The validation reports an org's message, at the position where an org's parser is."""
    assert "; ".join(map(str, validate_loosely(sample.text.encode())[:1])) == sample.org


@pytest.mark.parametrize("layout", ["mdapi", "source"])
def test_all_generated_files_are_valid(layout: str) -> None:
    files = write(ALL, "63.0", layout=layout)  # type: ignore[arg-type]
    for name, data in files.items():
        if data.startswith(b"<?xml"):
            assert validate_strictly(data) == validate_loosely(data) == (), name
            assert wsdl.strict().validate(etree.fromstring(data)), name


def test_a_strict_problem_names_the_element_what_was_expected_and_where_it_starts() -> None:
    text = WORKFLOW.replace("        <includeSessionId>false</includeSessionId>\n", "")
    assert validate_strictly(text.encode()) == (
        SchemaProblem(
            9,
            9,
            "Element 'integrationUser': This element is not expected. Expected is one of ( fields, includeSessionId ).",
        ),
    )


def test_a_strict_problem_of_a_value_lists_the_allowed_values_once() -> None:
    problems = validate_strictly(WORKFLOW.replace("onAllChanges", "often").encode())
    assert [(problem.line, problem.column) for problem in problems] == [(23, 9)]
    assert problems[0].message.startswith("Element 'triggerType': The value 'often' is not an element of the set {")


def test_invalid_xml_is_a_problem_and_not_an_exception() -> None:
    for check in (validate_strictly, validate_loosely):
        (problem,) = check(b"<Flow>\n  <label>a</lable>\n</Flow>")
        assert problem.line == 2
        assert "not well-formed" in problem.message


def test_a_folder_requires_its_own_root_element() -> None:
    (problem,) = validate_loosely(FLOW.encode(), "Workflow")
    assert "the root must be <Workflow>" in problem.message


def test_positions_are_right_with_prefixes_comments_and_tabs() -> None:
    """Names are validated without prefixes, and comments between elements do not change positions."""
    text = PERMISSION_SET.replace("<label>", "<!-- one\n\ttwo --><label>").replace("true</enabled>", "1 </enabled>")
    assert validate_loosely(text.encode()) == ()
    invalid_text = text.replace("<name>ApiEnabled</name>", "\t<named>ApiEnabled</named>")
    assert [(problem.line, problem.column) for problem in validate_loosely(invalid_text.encode())] == [
        (12, 17),
        (13, 23),
    ]
    prefixed = text.replace("xmlns=", "xmlns:m=").replace("</", "</m:")
    for tag in (
        "PermissionSet",
        "fieldPermissions",
        "editable",
        "field",
        "readable",
        "label",
        "userPermissions",
        "enabled",
        "name",
    ):
        prefixed = prefixed.replace(f"<{tag}>", f"<m:{tag}>").replace(f"<{tag} ", f"<m:{tag} ")
    assert validate_loosely(prefixed.encode()) == validate_strictly(prefixed.encode()) == ()
    assert validate_strictly(prefixed.replace("m:label", "m:labels").encode())[0].line == 9


def test_an_element_inside_a_value_is_refused() -> None:
    text = WORKFLOW.replace("<active>true</active>", "<active><b>true</b></active>")
    (problem,) = validate_loosely(text.encode())
    assert problem.message == (
        "Unexpected element {http://soap.sforce.com/2006/04/metadata}b during simple type deserialization"
    )


def test_nil_counts_as_a_value() -> None:
    """Orgs write xsi:nil for blank values that the schema requires."""
    nil = '<active xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    assert validate_loosely(WORKFLOW.replace("<active>true</active>", nil).encode()) == ()


@pytest.mark.parametrize("type_", sorted(schema_table.roots()))
def test_every_root_has_a_schema_that_loads(type_: str) -> None:
    assert etree.XMLSchema(etree.fromstring(xsd(type_)))
