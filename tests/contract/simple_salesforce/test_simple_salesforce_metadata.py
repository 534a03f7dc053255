"""
The metadata module of simple-salesforce, over zeep and without it.

The effect of each step is read with another client.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from lxml import etree
from simple_salesforce import Salesforce, SalesforceGeneralError
from simple_salesforce.metadata import SfdcMetadataApi

from sfcode.metadata.component import Component
from sfcode.metadata.package import read, write, zip_files
from tests.contract.simple_salesforce.conftest import VERSION, Served
from tests.waiting import until

pytestmark = pytest.mark.recorded("simple-salesforce", "with_external_ids")

NS = {"m": "http://soap.sforce.com/2006/04/metadata"}
Step = Callable[[Salesforce, Any, Served], None]


@pytest.fixture
def mdapi(sf: Salesforce, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[SfdcMetadataApi]:
    """Return the unmodified metadata module. zeep has its own session, which gets the org's address separately."""
    if served.transport == "tls":
        if served.certificate:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.certificate))
    else:
        sf.metadata_url = f"{served.url}/services/Soap/m/{VERSION}/"
    yield sf.mdapi
    sf.mdapi._client.transport.session.close()


def permissions(org: Served) -> Component:
    return Component("PermissionSet", org.word, {"label": org.word, "description": "By deploy"})


def field(org: Served) -> Component:
    values = {"label": "Made", "type": "Text", "length": 20, "externalId": False}
    return Component("CustomField", f"Contact.{org.word}Made__c", values)


def wrong(org: Served) -> Component:
    refused = {"Contact.No__c": {"editable": True, "readable": True}}
    return Component("PermissionSet", f"{org.word}Wrong", {"label": "W", "fieldPermissions": refused})


def body(org: Served, type: str, name: str) -> Mapping[str, Any]:
    component = org.component(type, name)
    assert component is not None, f"there is no {type} {name}"
    return component


def create_read_update_rename_delete(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    before, after = f"Contact.{org.word}Colour__c", f"Contact.{org.word}Shade__c"
    kind = mdapi._client.get_type("ns0:FieldType")
    mdapi.CustomField.create(mdapi.CustomField(fullName=before, label="Colour", type=kind("Text"), length=40))
    assert body(org, "CustomField", before)["length"] == 40
    field = mdapi.CustomField.read(before)
    assert (field.fullName, field.label, field.length, field.externalId) == (before, "Colour", 40, False)
    field.label = "Shade"
    mdapi.CustomField.update(field)
    assert body(org, "CustomField", before)["label"] == "Shade"
    mdapi.CustomField.rename(before, after)
    assert org.component("CustomField", before) is None
    assert body(org, "CustomField", after)["label"] == "Shade"
    mdapi.CustomField.delete(after)
    assert org.component("CustomField", after) is None


def upsert_several(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    names = [f"{org.word}One", f"{org.word}Two"]
    sets = [mdapi.PermissionSet(fullName=name, label=name, hasActivationRequired=False) for name in names]
    mdapi.PermissionSet.upsert(sets)
    sets[1].label = f"{org.word}Second"
    mdapi.PermissionSet.upsert(sets)
    labels = [body(org, "PermissionSet", name)["label"] for name in names]
    assert labels == [names[0], f"{org.word}Second"]
    assert [component.fullName for component in mdapi.PermissionSet.read(names)] == names


def errors_name_what_is_wrong(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    ghost, bad = f"Contact.{org.word}Ghost__c", f"Contact.{org.word}Bad__c"
    with pytest.raises(
        Exception, match=rf"{ghost}: \(INVALID_CROSS_REFERENCE_KEY, no CustomField named {ghost} found\)"
    ):
        mdapi.CustomField.delete(ghost)
    kind = mdapi._client.get_type("ns0:FieldType")
    with pytest.raises(Exception, match=rf"{bad}: \("):
        mdapi.CustomField.create(mdapi.CustomField(fullName=bad, label="Bad", type=kind("Text")))
    assert org.component("CustomField", bad) is None


def a_custom_object_with_its_name_field(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    get = mdapi._client.get_type
    name = f"{org.word}Visit__c"
    mdapi.CustomObject.create(
        mdapi.CustomObject(
            fullName=name,
            label="Visit",
            pluralLabel="Visits",
            deploymentStatus=get("ns0:DeploymentStatus")("Deployed"),
            sharingModel=get("ns0:SharingModel")("ReadWrite"),
            nameField=mdapi.CustomField(label="Visit Name", type=get("ns0:FieldType")("Text")),
        )
    )
    assert body(org, "CustomObject", name)["pluralLabel"] == "Visits"


def describe_and_list(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    described = mdapi.describe_metadata()
    workflow = next(entry for entry in described.metadataObjects if entry.xmlName == "Workflow")
    assert {"WorkflowRule", "WorkflowOutboundMessage"} <= set(workflow.childXmlNames)
    mdapi.PermissionSet.create(mdapi.PermissionSet(fullName=org.word, label=org.word, hasActivationRequired=False))
    query = mdapi._client.get_type("ns0:ListMetadataQuery")(type="PermissionSet", folder=None)
    assert org.word in {entry.fullName for entry in mdapi.list_metadata([query])}
    description = mdapi.CustomField.describe()
    (kind,) = [entry for entry in description.valueTypeFields if entry.name == "type"]
    assert (description.apiCreatable, kind.soapType, "Text" in {entry.value for entry in kind.picklistValues}) == (
        True,
        "FieldType",
        True,
    )


def deploy(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    started_job = sf.deploy(_package(field(org), permissions(org)), sandbox=False, testLevel="NoTestRun")
    assert (started_job["asyncId"][:3], started_job["state"]) == ("0Af", "Queued")
    deployment = _ended(sf, org, started_job["asyncId"])
    assert deployment["state"] == "Succeeded"
    assert (deployment["deployment_detail"]["total_count"], deployment["deployment_detail"]["failed_count"]) == (
        "2",
        "0",
    )
    assert body(org, "PermissionSet", org.word)["description"] == "By deploy"
    assert body(org, "CustomField", field(org).full_name)["length"] == 20


def deploy_with_stray_words_in_its_options(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    # Without a test level, the library writes the text None into the options, and booleans as True and False.
    deployment = _ended(sf, org, sf.deploy(_package(permissions(org)), sandbox=False)["asyncId"])
    assert deployment["state"] == "Succeeded"
    assert org.component("PermissionSet", org.word)


def deploy_that_fails(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    package = _package(permissions(org), wrong(org))
    deployment = _ended(sf, org, sf.deploy(package, sandbox=False, testLevel="NoTestRun")["asyncId"])
    assert deployment["state"] == "Failed"
    (error,) = deployment["deployment_detail"]["errors"]
    assert (error["type"], error["file"], error["status"]) == (
        "PermissionSet",
        f"permissionsets/{org.word}Wrong.permissionset",
        "Error",
    )
    assert error["message"] == "In field: field - no CustomField named Contact.No__c found"
    assert org.component("PermissionSet", org.word) is None


def deploy_to_a_sandbox_keeps_what_is_right(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    # For sandboxes, the library turns rollbackOnError off.
    package = _package(permissions(org), wrong(org))
    deployment = _ended(sf, org, sf.deploy(package, sandbox=True, testLevel="NoTestRun")["asyncId"])
    assert deployment["state"] == "SucceededPartial"
    assert org.component("PermissionSet", org.word)
    assert org.component("PermissionSet", wrong(org).full_name) is None


def validate_only(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    package = _package(permissions(org))
    deployment = _ended(sf, org, sf.deploy(package, sandbox=False, checkOnly=True, testLevel="NoTestRun")["asyncId"])
    assert (deployment["state"], org.component("PermissionSet", org.word)) == ("Succeeded", None)


def deploy_of_nonsense(sf: Salesforce, _mdapi: Any, org: Served) -> None:
    deployment = _ended(sf, org, sf.deploy(io.BytesIO(b"no zip"), sandbox=False, testLevel="NoTestRun")["asyncId"])
    assert deployment["state"] == "Failed"


def an_unknown_deploy(sf: Salesforce, mdapi: Any, _org: Served) -> None:
    with pytest.raises(SalesforceGeneralError, match="INVALID_CROSS_REFERENCE_KEY"):
        sf.checkDeployStatus("0Af000000000000AAA")


def retrieve(_sf: Salesforce, mdapi: Any, org: Served) -> None:
    mdapi.PermissionSet.create(mdapi.PermissionSet(fullName=org.word, label=org.word, hasActivationRequired=False))
    members = {"PermissionSet": [org.word]}
    job, state = mdapi.retrieve("0Af000000000000AAA", unpackaged=members, single_package=True)
    assert (job[:3], state) == ("09S", "Queued")
    until(lambda: mdapi.check_retrieve_status(job)[0] == "Succeeded", pause=org.wait)
    _, _, messages, data = mdapi.retrieve_zip(job)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.removeprefix("unpackaged/"): archive.read(name) for name in archive.namelist()}
    file = f"permissionsets/{org.word}.permissionset"
    assert file in names, (names, messages)
    (label,) = etree.fromstring(names[file]).findall("m:label", NS)
    assert label.text == org.word
    assert [component.full_name for component in read(names) if component.type == "PermissionSet"] == [org.word]


def _package(*components: Component) -> io.BytesIO:
    return io.BytesIO(zip_files(write(components, VERSION)))


def _ended(sf: Salesforce, org: Served, deploy_id: str) -> dict[str, Any]:
    def status() -> dict[str, Any] | None:
        status = sf.checkDeployStatus(deploy_id)
        return None if status["state"] in {"Pending", "InProgress"} else dict(status)

    return until(status, "the end of the deploy", pause=org.wait)


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
    """simple-salesforce's metadata module works as documented, and the org has the components afterwards."""
    step(sf, mdapi, served)
