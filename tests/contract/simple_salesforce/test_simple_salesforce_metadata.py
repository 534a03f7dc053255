"""The metadata module, over zeep and by hand. Each step's effect is looked up in the org's own file."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree
from simple_salesforce import Salesforce, SalesforceGeneralError
from simple_salesforce.metadata import SfdcMetadataApi

from sfcode.metadata.component import Component
from sfcode.metadata.package import read, write, zip_files
from tests.contract.simple_salesforce.conftest import VERSION, Served

pytestmark = pytest.mark.recorded("simple-salesforce", "with_external_ids")

SECONDS = 20
NS = {"m": "http://soap.sforce.com/2006/04/metadata"}
SET = Component("PermissionSet", "Made", {"label": "Made", "description": "By deploy"})
FIELD = Component(
    "CustomField", "Contact.Made__c", {"label": "Made", "type": "Text", "length": 20, "externalId": False}
)
WRONG = Component(
    "PermissionSet",
    "Wrong",
    {"label": "W", "fieldPermissions": {"Contact.No__c": {"editable": True, "readable": True}}},
)

Step = Callable[[Salesforce, Any, Served], None]


@pytest.fixture
def mdapi(sf: Salesforce, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[SfdcMetadataApi]:
    """Give the module as it is; zeep has a session of its own, which is told about the org another way."""
    if served.transport == "tls":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.org.certificate))
    else:
        sf.metadata_url = f"{served.org.url}/services/Soap/m/{VERSION}/"
    yield sf.mdapi
    sf.mdapi._client.transport.session.close()


def create_read_update_rename_delete(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    kind = mdapi._client.get_type("ns0:FieldType")
    mdapi.CustomField.create(
        mdapi.CustomField(fullName="Contact.Colour__c", label="Colour", type=kind("Text"), length=40)
    )
    assert org.components("CustomField")["Contact.Colour__c"]["length"] == 40
    found = mdapi.CustomField.read("Contact.Colour__c")
    assert (found.fullName, found.label, found.length, found.externalId) == ("Contact.Colour__c", "Colour", 40, False)
    found.label = "Shade"
    mdapi.CustomField.update(found)
    assert org.components("CustomField")["Contact.Colour__c"]["label"] == "Shade"
    mdapi.CustomField.rename("Contact.Colour__c", "Contact.Shade__c")
    assert "Contact.Colour__c" not in org.components("CustomField")
    assert org.components("CustomField")["Contact.Shade__c"]["label"] == "Shade"
    mdapi.CustomField.delete("Contact.Shade__c")
    assert "Contact.Shade__c" not in org.components("CustomField")


def upsert_several(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    sets = [mdapi.PermissionSet(fullName=name, label=name, hasActivationRequired=False) for name in ("One", "Two")]
    mdapi.PermissionSet.upsert(sets)
    sets[1].label = "Second"
    mdapi.PermissionSet.upsert(sets)
    found = org.components("PermissionSet")
    assert (found["One"]["label"], found["Two"]["label"]) == ("One", "Second")
    assert [each.fullName for each in mdapi.PermissionSet.read(["One", "Two"])] == ["One", "Two"]


def errors_name_what_is_wrong(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    with pytest.raises(
        Exception,
        match=r"Contact.Ghost__c: \(INVALID_CROSS_REFERENCE_KEY, no CustomField named Contact.Ghost__c found\)",
    ):
        mdapi.CustomField.delete("Contact.Ghost__c")
    kind = mdapi._client.get_type("ns0:FieldType")
    with pytest.raises(Exception, match=r"Contact.Bad__c: \("):
        mdapi.CustomField.create(mdapi.CustomField(fullName="Contact.Bad__c", label="Bad", type=kind("Text")))
    assert "Contact.Bad__c" not in org.components("CustomField")


def a_custom_object_with_its_name_field(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    get = mdapi._client.get_type
    mdapi.CustomObject.create(
        mdapi.CustomObject(
            fullName="Visit__c",
            label="Visit",
            pluralLabel="Visits",
            deploymentStatus=get("ns0:DeploymentStatus")("Deployed"),
            sharingModel=get("ns0:SharingModel")("ReadWrite"),
            nameField=mdapi.CustomField(label="Visit Name", type=get("ns0:FieldType")("Text")),
        )
    )
    assert org.components("CustomObject")["Visit__c"]["pluralLabel"] == "Visits"


def describe_and_list(sf: Salesforce, mdapi: Any, _org: Served) -> None:
    described = mdapi.describe_metadata()
    workflow = next(each for each in described.metadataObjects if each.xmlName == "Workflow")
    assert {"WorkflowRule", "WorkflowOutboundMessage"} <= set(workflow.childXmlNames)
    query = mdapi._client.get_type("ns0:ListMetadataQuery")(type="PermissionSet", folder=None)
    assert "Ext" in {each.fullName for each in mdapi.list_metadata([query])}
    told = mdapi.CustomField.describe()
    (kind,) = [each for each in told.valueTypeFields if each.name == "type"]
    assert (told.apiCreatable, kind.soapType, "Text" in {each.value for each in kind.picklistValues}) == (
        True,
        "FieldType",
        True,
    )


def deploy(sf: Salesforce, mdapi: Any, org: Served) -> None:
    begun = sf.deploy(_package(FIELD, SET), sandbox=False, testLevel="NoTestRun")
    assert (begun["asyncId"][:3], begun["state"]) == ("0Af", "Queued")
    done = _ended(sf, begun["asyncId"])
    assert done["state"] == "Succeeded"
    assert (done["deployment_detail"]["total_count"], done["deployment_detail"]["failed_count"]) == ("2", "0")
    assert org.components("PermissionSet")["Made"]["description"] == "By deploy"
    assert org.components("CustomField")["Contact.Made__c"]["length"] == 20


def deploy_with_stray_words_in_its_options(sf: Salesforce, mdapi: Any, org: Served) -> None:
    # Without a test level it writes the text None where none belongs, and booleans as True and False.
    done = _ended(sf, sf.deploy(_package(SET), sandbox=False)["asyncId"])
    assert (done["state"], "Made" in org.components("PermissionSet")) == ("Succeeded", True)


def deploy_that_fails(sf: Salesforce, mdapi: Any, org: Served) -> None:
    done = _ended(sf, sf.deploy(_package(SET, WRONG), sandbox=False, testLevel="NoTestRun")["asyncId"])
    assert done["state"] == "Failed"
    (error,) = done["deployment_detail"]["errors"]
    assert (error["type"], error["file"], error["status"]) == (
        "PermissionSet",
        "permissionsets/Wrong.permissionset",
        "Error",
    )
    assert error["message"] == "In field: field - no CustomField named Contact.No__c found"
    assert "Made" not in org.components("PermissionSet")


def deploy_to_a_sandbox_keeps_what_is_right(sf: Salesforce, mdapi: Any, org: Served) -> None:
    # For sandboxes it turns rollbackOnError off.
    done = _ended(sf, sf.deploy(_package(SET, WRONG), sandbox=True, testLevel="NoTestRun")["asyncId"])
    assert done["state"] == "SucceededPartial"
    assert {"Made", "Wrong"} & org.components("PermissionSet").keys() == {"Made"}


def validate_only(sf: Salesforce, mdapi: Any, org: Served) -> None:
    done = _ended(sf, sf.deploy(_package(SET), sandbox=False, checkOnly=True, testLevel="NoTestRun")["asyncId"])
    assert (done["state"], "Made" in org.components("PermissionSet")) == ("Succeeded", False)


def deploy_of_nonsense(sf: Salesforce, mdapi: Any, org: Served) -> None:
    before = org.components("PermissionSet")
    done = _ended(sf, sf.deploy(io.BytesIO(b"no zip"), sandbox=False, testLevel="NoTestRun")["asyncId"])
    assert (done["state"], org.components("PermissionSet")) == ("Failed", before)


def an_unknown_deploy(sf: Salesforce, mdapi: Any, _org: Served) -> None:
    with pytest.raises(SalesforceGeneralError, match="INVALID_CROSS_REFERENCE_KEY"):
        sf.checkDeployStatus("0Af000000000000AAA")


def retrieve(sf: Salesforce, mdapi: Any, org: Served) -> None:
    job, state = mdapi.retrieve("0Af000000000000AAA", unpackaged={"PermissionSet": ["Ext"]}, single_package=True)
    assert (job[:3], state) == ("09S", "Queued")
    deadline = time.monotonic() + SECONDS
    while mdapi.check_retrieve_status(job)[0] != "Succeeded":
        assert time.monotonic() < deadline
    _, _, messages, data = mdapi.retrieve_zip(job)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.removeprefix("unpackaged/"): archive.read(name) for name in archive.namelist()}
    assert "permissionsets/Ext.permissionset" in names, (names, messages)
    (label,) = etree.fromstring(names["permissionsets/Ext.permissionset"]).findall("m:label", NS)
    assert label.text == org.components("PermissionSet")["Ext"]["label"]
    assert [each.full_name for each in read(names) if each.type == "PermissionSet"] == ["Ext"]


def _package(*components: Component) -> io.BytesIO:
    return io.BytesIO(zip_files(write(components, VERSION)))


def _ended(sf: Salesforce, deploy_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = sf.checkDeployStatus(deploy_id)
        if found["state"] not in {"Pending", "InProgress"}:
            return dict(found)
    raise AssertionError("the deploy did not end")


STEPS: tuple[Step, ...] = (
    create_read_update_rename_delete,
    upsert_several,
    errors_name_what_is_wrong,
    a_custom_object_with_its_name_field,
    describe_and_list,
    deploy,
    deploy_with_stray_words_in_its_options,
    deploy_that_fails,
    deploy_to_a_sandbox_keeps_what_is_right,
    validate_only,
    deploy_of_nonsense,
    an_unknown_deploy,
    retrieve,
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_metadata(step: Step, sf: Salesforce, mdapi: SfdcMetadataApi, served: Served) -> None:
    """simple-salesforce's metadata module does what its documentation says, and the org has it afterwards."""
    step(sf, mdapi, served)
