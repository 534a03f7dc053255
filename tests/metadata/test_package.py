"""Packages in both layouts, read back, and their problems with positions."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.package import (
    PackagePosition,
    address_of_file,
    file_path,
    read,
    read_contents,
    read_manifest,
    unzip,
    write,
    zip_files,
)
from tests.metadata.negatives import WORKFLOW
from tests.metadata.samples import ALL, EVENT_ID, FLOW, MESSAGE, RULE, SCORE, STATE, USER_ID, VISITS


def test_a_package_has_one_file_for_each_container() -> None:
    """Fields are in the file of their object, message and rule in that of the workflow; the resource has a -meta.xml."""
    files = write(ALL, "63.0")
    assert list(files) == [
        "flows/Appcues_contact.flow",
        "objects/Activity.object",
        "objects/Contact.object",
        "objects/Visit__c.object",
        "package.xml",
        "permissionsets/Appcues_Integration.permissionset",
        "staticresources/Appcues_sfcode_state.resource",
        "staticresources/Appcues_sfcode_state.resource-meta.xml",
        "workflows/Contact.workflow",
    ]
    assert files["staticresources/Appcues_sfcode_state.resource"] == b'{"version": 1}'


def test_a_project_of_sf_has_a_file_for_each_field() -> None:
    assert list(write(ALL, "63.0", layout="source", deleted=[RULE.address])) == [
        "force-app/main/default/flows/Appcues_contact.flow-meta.xml",
        "force-app/main/default/objects/Activity/fields/Appcues_Event_Id__c.field-meta.xml",
        "force-app/main/default/objects/Contact/fields/Appcues_NPS_Score__c.field-meta.xml",
        "force-app/main/default/objects/Contact/fields/Appcues_User_Id__c.field-meta.xml",
        "force-app/main/default/objects/Visit__c/Visit__c.object-meta.xml",
        "force-app/main/default/permissionsets/Appcues_Integration.permissionset-meta.xml",
        "force-app/main/default/staticresources/Appcues_sfcode_state.json",
        "force-app/main/default/staticresources/Appcues_sfcode_state.resource-meta.xml",
        "force-app/main/default/workflows/Contact.workflow-meta.xml",
        "manifest/destructiveChangesPost.xml",
        "manifest/package.xml",
        "sfdx-project.json",
    ]


def test_the_manifest_lists_children_by_their_own_type_and_no_container() -> None:
    files = write(
        [SCORE, MESSAGE, FLOW], "63.0", deleted=[Address("Flow", "Old-1"), Address("CustomField", "Lead.Old__c")]
    )
    assert (
        files["package.xml"].decode()
        == """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata">
    <types>
        <members>Contact.Appcues_NPS_Score__c</members>
        <name>CustomField</name>
    </types>
    <types>
        <members>Appcues_contact</members>
        <name>Flow</name>
    </types>
    <types>
        <members>Contact.Appcues_contact</members>
        <name>WorkflowOutboundMessage</name>
    </types>
    <version>63.0</version>
</Package>
"""
    )
    assert (
        files["destructiveChangesPost.xml"].decode()
        == """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata">
    <types>
        <members>Lead.Old__c</members>
        <name>CustomField</name>
    </types>
    <types>
        <members>Old-1</members>
        <name>Flow</name>
    </types>
</Package>
"""
    )


def test_a_deletion_alone_still_has_a_manifest_with_a_version() -> None:
    files = write([], "63.0", deleted=[RULE.address])
    assert list(files) == ["destructiveChangesPost.xml", "package.xml"]
    assert read_manifest(files["package.xml"]).api_version == "63.0"
    assert read_manifest(files["destructiveChangesPost.xml"]).addresses == (RULE.address,)


@pytest.mark.parametrize("root", ["", "unpackaged/", "any folder/"])
def test_a_written_package_is_read_back(root: str) -> None:
    """With or without a root folder, a parsed package has the components that were rendered."""
    files = {root + name: data for name, data in write(ALL, "63.0").items()}
    assert read(files) == ALL
    assert read({name: data for name, data in files.items() if not name.endswith("package.xml")}) == ALL


def test_a_package_does_not_depend_on_the_order_of_its_components() -> None:
    assert write(ALL, "63.0") == write(reversed(ALL), "63.0")


def test_an_object_that_is_a_component_itself_contains_its_fields_too() -> None:
    """Elements are in schema order, so the object's own elements are before and after its fields."""
    field = Component("CustomField", "Visit__c.Note__c", {"label": "Note", "length": 9, "type": "Text"})
    (text,) = (data.decode() for name, data in write([VISITS, field], "63.0").items() if name.startswith("objects/"))
    order = [text.index(f"<{name}>") for name in ("deploymentStatus", "fields", "nameField", "pluralLabel")]
    assert order == sorted(order)
    assert read(write([VISITS, field], "63.0")) == (field, VISITS)


def test_positions_are_those_at_which_components_start() -> None:
    contents = read_contents(
        {"workflows/Contact.workflow": WORKFLOW.encode(), "classes/A.cls": b"", "package.xml": b""}
    )
    assert contents.places == {
        Address("WorkflowOutboundMessage", "Contact.Contact_Changed"): PackagePosition("workflows/Contact.workflow", 3),
        Address("WorkflowRule", "Contact.Contact Changed"): PackagePosition("workflows/Contact.workflow", 15),
    }
    assert contents.skipped == ("classes/A.cls",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"flows/A.flow": "<Flow>"}, "flows/A.flow:1:7: not well-formed XML"),
        ({"flows/A.flow": WORKFLOW}, "flows/A.flow:2: the root must be <Flow "),
        (
            {"workflows/A.workflow": WORKFLOW.replace("<fullName>Contact Changed</fullName>", "")},
            "workflows/A.workflow:15: Required field is missing: fullName in rules",
        ),
        (
            {"workflows/A.workflow": WORKFLOW.replace("<name>Contact Changed</name>", "<nom>x</nom>")},
            "workflows/A.workflow:11: Element {http://soap.sforce.com/2006/04/metadata}nom invalid at this location",
        ),
        ({"staticresources/A.resource": "x"}, "staticresources/A.resource: the -meta.xml file of this file is missing"),
        (
            {"staticresources/A.resource-meta.xml": "x"},
            "staticresources/A.resource-meta.xml: the content file is missing",
        ),
    ],
)
def test_problems_of_a_package_have_file_and_line(files: dict[str, str], message: str) -> None:
    with pytest.raises(MetadataError) as raised:
        read({name: text.encode() for name, text in files.items()})
    assert str(raised.value).startswith(message)


def test_a_duplicate_component_is_refused() -> None:
    with pytest.raises(MetadataError, match="Flow:Appcues_contact is in the package twice"):
        write([FLOW, FLOW], "63.0")
    doubled = WORKFLOW.replace("<fullName>Contact Changed<", "<fullName>X<")
    rules = doubled[doubled.index("    <rules>") : doubled.index("</Workflow>")]
    with pytest.raises(MetadataError, match=r"WorkflowRule:C\.X is in the package twice"):
        read({"workflows/C.workflow": doubled.replace("</Workflow>", rules + "</Workflow>").encode()})


def test_content_that_is_no_base64_is_refused() -> None:
    component = Component("StaticResource", "A", {**STATE.body, "content": "?"})
    with pytest.raises(MetadataError, match="StaticResource:A: `content` is not base64"):
        write([component], "63.0")


def test_a_manifest_may_name_a_type_twice_and_anything_as_member() -> None:
    data = write([FLOW, EVENT_ID], "63.0")["package.xml"].replace(b">CustomField<", b">Flow<")
    assert read_manifest(data).members == {"Flow": ("Activity.Appcues_Event_Id__c", "Appcues_contact")}
    with pytest.raises(MetadataError, match=r"package\.xml:1:1: the root must be <Package>"):
        read_manifest(b"<a/>")


@pytest.mark.parametrize("component", ALL, ids=lambda component: component.type)
@pytest.mark.parametrize("layout", ["mdapi", "source"])
def test_a_file_leads_back_to_its_component(layout: str, component: Component) -> None:
    """The path alone determines the component; for children in a container's file, it is the container."""
    path = file_path(component.address, layout, content_type="application/json")  # type: ignore[arg-type]
    assert path in write([component], "63.0", layout=layout)  # type: ignore[arg-type]
    containers = {"WorkflowRule": "Workflow", "WorkflowOutboundMessage": "Workflow"}
    if layout == "mdapi":
        containers["CustomField"] = "CustomObject"
    address = component.address
    if component.type in containers:
        address = Address(containers[component.type], component.full_name.partition(".")[0])
    assert address_of_file(path) == address_of_file(f"some/folder/{path}") == address


@pytest.mark.parametrize("path", ["package.xml", "flows/A.txt", "README.md", "objects/A/B/C/d.field-meta.xml", "flows"])
def test_other_files_are_no_components(path: str) -> None:
    assert address_of_file(path) is None


def test_names_are_encoded_in_file_names() -> None:
    """An org encodes characters that file names cannot contain; folders of reports are folders in a package."""
    for address, path in [
        (Address("Profile", "Custom%3A Sales Profile"), "profiles/Custom%3A Sales Profile.profile"),
        (Address("Report", "Appcues/Answers"), "reports/Appcues/Answers.report"),
    ]:
        assert file_path(address) == path
        assert address_of_file(path) == address


@pytest.mark.parametrize("name", ["../A", "/etc/passwd", "A/../../B", "A\\B", ""])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(MetadataError, match="cannot be the name of a file"):
        file_path(Address("Report", name))


def test_zips_are_the_same_for_the_same_files() -> None:
    files = write(ALL, "63.0")
    assert zip_files(files) == zip_files(dict(reversed(files.items())))
    assert unzip(zip_files(files)) == files


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(MetadataError, match="ApexClass is not a metadata type that sfcode knows"):
        write([Component("ApexClass", "A")], "63.0")


def test_user_ids_formula_is_found_in_both_layouts() -> None:
    """The formula is the same in both layouts of the field."""
    (mdapi,) = (data for name, data in write([USER_ID], "63.0").items() if name.startswith("objects/"))
    (source,) = (data for name, data in write([USER_ID], "63.0", layout="source").items() if "fields/" in name)
    formula = b"TEXT(Product_User_Id__c) &amp; &apos;&lt;&gt;&apos;\n)</formula>"
    assert formula in mdapi
    assert formula in source


def test_a_folder_of_reports_is_a_member_of_type_report() -> None:
    """
    The folder's file is beside the folder.

    The folder is before its reports in a package, and after them in a deletion.
    """
    folder = Component("ReportFolder", "Appcues", {"name": "Appcues"})
    report = Component("Report", "Appcues/Answers", {"format": "Tabular", "name": "Answers", "reportType": "Activity"})
    files = write([folder, report], "63.0", deleted=[folder.address, report.address])
    assert "reports/Appcues-meta.xml" in files
    listed = files["package.xml"]
    assert listed.index(b"<members>Appcues<") < listed.index(b"<members>Appcues/Answers<")
    manifest = files["destructiveChangesPost.xml"]
    assert manifest.index(b"<members>Appcues/Answers<") < manifest.index(b"<members>Appcues<")
    assert b"<name>ReportFolder" not in listed + manifest
    assert read(files) == (report, folder)
    for layout, path in (
        ("mdapi", "reports/Appcues-meta.xml"),
        ("source", "force-app/main/default/reports/Appcues.reportFolder-meta.xml"),
    ):
        assert file_path(folder.address, layout) == path  # type: ignore[arg-type]
        assert address_of_file(path) == folder.address
    assert address_of_file("reports/Appcues/Deep-meta.xml") == Address("ReportFolder", "Appcues/Deep")
    assert address_of_file("reports/Appcues/Answers.report-meta.xml") == report.address
