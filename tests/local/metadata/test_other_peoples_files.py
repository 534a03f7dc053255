"""
Metadata of other people's projects on this machine: a deploy, a retrieve and another deploy change none of it.

The sources are files of installed programs, and a folder that SFCODE_TEST_METADATA names. This repository contains none
of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfcode.local import serve
from tests.conftest import STARTED_WITH
from tests.local.metadata.checkout import Checkout, read
from tests.local.metadata.conftest import Client
from tests.local.metadata.round_trip import Report, round_trip

INSTALLED = (".cache/sf/node_modules/@salesforce/templates", ".cache/cci/lib/python3.*/site-packages/cumulusci")
"""Folders of the programs for the contract tests that contain metadata: project templates and tests."""


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Client]:
    with serve(tmp_path) as served:
        yield Client(served, tmp_path)


def test_metadata_of_installed_programs_is_retrieved_unchanged(root: Path, org: Client) -> None:
    """Every file is tested that the schema accepts and whose references exist; the others are counted."""
    folders = [folder for pattern in INSTALLED for folder in root.glob(pattern)]
    if not folders:
        pytest.skip("no other programs are installed: run scripts/install_sf.sh and scripts/install_cci.sh")
    checkout = Checkout()
    for folder in folders:
        component_files = read(folder)
        checkout.files |= component_files.files
        checkout.sources |= component_files.sources
        checkout.unknown += component_files.unknown
        checkout.unreadable += component_files.unreadable
    report = round_trip(checkout, org)
    _unchanged(report)
    assert report.faults == []


def test_metadata_of_a_named_checkout_is_retrieved_unchanged(org: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of SFCODE_TEST_METADATA is tested in the same way, and the report is printed."""
    folder_name = STARTED_WITH.get("SFCODE_TEST_METADATA")
    if not folder_name:
        pytest.skip("no folder with metadata is named: set SFCODE_TEST_METADATA (see docs/local-org-metadata.md)")
    report = round_trip(read(Path(folder_name).expanduser()), org)
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *report.lines(), ""]))
    _unchanged(report)


def _unchanged(report: Report) -> None:
    text = "\n".join(report.lines())
    assert report.deployed, text
    assert report.back == [], text
    assert report.changed == [], text


FIELD = '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>{name}</fullName><label>A field</label>{more}</CustomField>'
TEXT = "<length>40</length><type>Text</type>"
OBJECT = '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">{more}</CustomObject>'
SET = (
    '<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><fieldPermissions><editable>true</editable>'
    "<field>{field}</field><readable>true</readable></fieldPermissions><label>Set</label></PermissionSet>"
)


@pytest.fixture
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that writes the files of a checkout."""

    def write(**files: str) -> Path:
        folder = tmp_path_factory.mktemp("checkout")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return write


def test_refused_files_are_listed_by_reason(org: Client, write: Callable[..., Path]) -> None:
    """The reasons are a missing reference, a violation of the schema, invalid XML, an unknown type, and an invalid value."""
    fields = "main/objects/Contact/fields"
    folder = write(
        **{
            f"{fields}/Good__c.field-meta.xml": FIELD.format(name="Good__c", more=TEXT),
            f"{fields}/Bad__c.field-meta.xml": FIELD.format(
                name="Bad__c", more="<length>999</length><type>Text</type>"
            ),
            f"{fields}/Torn__c.field-meta.xml": "<CustomField>",
            "main/objects/Lead/fields/Odd__c.field-meta.xml": FIELD.format(name="Odd__c", more=f"<nonsense/>{TEXT}"),
            "main/permissionsets/Good.permissionset-meta.xml": SET.format(field="Contact.Good__c"),
            "main/permissionsets/Lost.permissionset-meta.xml": SET.format(field="Contact.Gone__c"),
            "main/webapps/x.webapplication-meta.xml": "<WebApplication/>",
        }
    )
    report = round_trip(read(folder), org)
    assert (report.files, len(report.unknown), len(report.unreadable)) == (7, 1, 1)
    assert [fault_line.partition(": ")[0] for fault_line in report.against_schema] == ["CustomObject:Lead"]
    assert report.missing == [
        "PermissionSet:Lost: In field: field - no CustomField named Contact.Gone__c found",
    ]
    assert [fault_line.partition(": ")[0] for fault_line in report.faults] == ["CustomField:Contact.Bad__c"]
    assert sorted(map(str, report.deployed)) == ["CustomField:Contact.Good__c", "PermissionSet:Good"]
    _unchanged(report)


def test_a_project_and_a_package_are_read_alike(write: Callable[..., Path]) -> None:
    """Fields in separate files, content beside its -meta.xml, and unpacked archives result in the same package."""
    label = "<label>Thing</label>"
    project = write(
        **{
            "force-app/main/default/objects/Thing__c/Thing__c.object-meta.xml": OBJECT.format(more=label),
            "force-app/main/default/objects/Thing__c/fields/A__c.field-meta.xml": FIELD.format(name="A__c", more=TEXT),
            "force-app/main/default/classes/A.cls": "public class A {}",
            "force-app/main/default/classes/A.cls-meta.xml": "<ApexClass/>",
            "force-app/main/default/lwc/a/a.js": "export default 1",
            "force-app/main/default/lwc/a/a.js-meta.xml": "<LightningComponentBundle/>",
            "force-app/main/default/staticresources/Pack.resource-meta.xml": "<StaticResource/>",
            "force-app/main/default/staticresources/Pack/in.txt": "in",
            "force-app/main/default/reports/Sales/Open.report-meta.xml": "<Report/>",
        }
    )
    field = (
        FIELD.format(name="A__c", more=TEXT)
        .replace("CustomField", "fields")
        .replace(' xmlns="http://soap.sforce.com/2006/04/metadata"', "")
    )
    package = write(**{"src/objects/Thing__c.object": OBJECT.format(more=field + label)})
    checkout = read(project)
    assert checkout.files.keys() == {
        "classes/A.cls",
        "classes/A.cls-meta.xml",
        "lwc/a/a.js",
        "lwc/a/a.js-meta.xml",
        "objects/Thing__c.object",
        "reports/Sales/Open.report",
        "staticresources/Pack.resource",
        "staticresources/Pack.resource-meta.xml",
    }
    assert checkout.files["staticresources/Pack.resource"].startswith(b"PK")
    assert _canonical(checkout.files["objects/Thing__c.object"]) == _canonical(
        read(package).files["objects/Thing__c.object"]
    )


def _canonical(data: bytes) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(etree.fromstring(data), method="c14n2"))
