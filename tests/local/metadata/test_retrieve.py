"""Retrieves without a manifest, and the form of standard fields."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest
from lxml import etree

from sfcode.local.metadata import retrieve as retrieve_module

NS = "{http://soap.sforce.com/2006/04/metadata}"


def _retrieve(org, inner: str) -> etree._Element:
    root = org.soap(f"<retrieve><request><apiVersion>62.0</apiVersion>{inner}</request></retrieve>")
    job = root.findtext(f".//{NS}id")
    return org.soap(f"<checkRetrieveStatus><asyncProcessId>{job}</asyncProcessId></checkRetrieveStatus>")


def _files(root: etree._Element) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(root.findtext(f".//{NS}zipFile")))) as archive:
        return sorted(archive.namelist())


MEMBERS = (
    "<unpackaged><types><members>*</members><name>Flow</name></types>"
    "<types><members>*</members><name>StaticResource</name></types><version>62.0</version></unpackaged>"
)


def test_requested_files_are_retrieved_alone(org, kit) -> None:
    """Only the requested files of the manifest are in the zip; a resource has its -meta.xml."""
    assert org.deploy(kit.good()).status == "Succeeded"
    file_names = "<specificFiles>staticresources/State.resource</specificFiles>"
    root = _retrieve(org, f"<singlePackage>true</singlePackage>{file_names}{MEMBERS}")
    assert _files(root) == [
        "package.xml",
        "staticresources/State.resource",
        "staticresources/State.resource-meta.xml",
    ]
    assert [properties.findtext(f"{NS}fullName") for properties in root.iter(f"{NS}fileProperties")] == ["State"]
    with pytest.raises(kit.fault) as error:
        _retrieve(org, f"<singlePackage>false</singlePackage>{file_names}{MEMBERS}")
    assert error.value.code == "sf:INVALID_OPERATION"


def test_a_missing_package_fails_the_retrieve(shared) -> None:
    """A local org has no packages, and reports a requested one like a real org."""
    root = _retrieve(shared, "<packageNames>Sales Kit</packageNames>")
    result = {etree.QName(element).localname: element.text for element in root.iter()}
    assert (result["done"], result["success"], result["status"]) == ("true", "false", "Failed")
    assert result["errorMessage"] == "INVALID_CROSS_REFERENCE_KEY: No package named 'Sales Kit' found"


def test_a_retrieve_has_at_most_ten_thousand_files(org, kit, monkeypatch) -> None:
    """The retrieve fails if there is one file more."""
    assert org.deploy(kit.good()).status == "Succeeded"
    monkeypatch.setattr(retrieve_module, "MAX_FILES", 2)
    root = _retrieve(org, MEMBERS)
    assert root.findtext(f".//{NS}errorStatusCode") == "LIMIT_EXCEEDED"
    assert root.findtext(f".//{NS}errorMessage").endswith("Too many files in retrieve call, limit is: 2")


def _listed(org, type_: str) -> list[str]:
    root = org.soap(f"<listMetadata><queries><type>{type_}</type></queries></listMetadata>")
    return [element.findtext(f"{NS}fullName") for element in root.iter(f"{NS}result")]


def test_standard_fields_are_listed_but_no_wildcard_selects_them(org, kit) -> None:
    """listMetadata returns standard fields, but neither system fields nor parts of addresses; `*` selects only custom fields."""
    assert org.deploy(kit.good()).status == "Succeeded"
    names = _listed(org, "CustomField")
    assert {"Account.AccountNumber", "Account.BillingAddress", "Contact.LeadSource", "Contact.Score__c"} <= set(names)
    assert not {"Contact.CreatedDate", "Contact.Id", "Account.BillingStreet"} & set(names)
    assert names == sorted(names)
    content = org.retrieve({"CustomField": ["*"]})["files"]["unpackaged/objects/Contact.object"]
    assert b"Score__c" in content
    assert b"LeadSource" not in content


def test_a_retrieved_standard_field_can_be_deployed_again(org, kit) -> None:
    """A standard field is retrieved by name, and its deployment changes nothing."""
    files = org.retrieve({"CustomField": ["Contact.LeadSource"]}, single=True)["files"]
    assert b"<type>Picklist</type>" in files["objects/Contact.object"]
    describe = "/services/data/v62.0/sobjects/Contact/describe"
    before = org.rest("GET", describe)[1]
    assert org.deploy(files).status == "Succeeded"
    assert org.rest("GET", describe)[1] == before
    assert org.deploy(files).of("Contact.LeadSource")["changed"] == "false"
