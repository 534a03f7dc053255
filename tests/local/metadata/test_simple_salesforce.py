"""simple-salesforce's metadata module, unmodified, against the local org."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.metadata import SfdcMetadataApi

from tests.waiting import until


class PlainHttp(HTTPAdapter):
    """Sends the https requests of the library over http to the same address."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture
def salesforce(org) -> Iterator[Salesforce]:
    """Sign in with the org's token."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", PlainHttp())
        instance = org.org.url.removeprefix("http://")
        yield Salesforce(session_id=org.token, instance=instance, version="62.0", session=session)


@pytest.fixture
def mdapi(salesforce, org) -> SfdcMetadataApi:
    """Return the metadata module; zeep has its own session, so the address is passed as http."""
    api = SfdcMetadataApi(
        session=salesforce.session,
        session_id=org.token,
        instance=salesforce.sf_instance,
        metadata_url=f"{org.org.url}/services/Soap/m/62.0/",
        headers=salesforce.headers,
        api_version="62.0",
    )
    yield api
    api._client.transport.session.close()


def wait_for(mdapi: SfdcMetadataApi, deploy_id: str) -> tuple[Any, ...]:
    def status() -> tuple[Any, ...] | None:
        status = mdapi.check_deploy_status(deploy_id)
        return None if status[0] in {"Pending", "InProgress"} else status

    return until(status, "the end of the deploy")


def test_a_package_is_deployed_and_reported(mdapi, org, kit, tmp_path) -> None:
    """`deploy` returns an ID; `check_deploy_status` returns the result and the problems of refused components."""
    good = tmp_path / "good.zip"
    good.write_bytes(kit.zipped(kit.good()))
    deploy_id, state = mdapi.deploy(str(good), sandbox=False, testLevel="NoTestRun")
    assert (deploy_id[:3], state) == ("0Af", "Queued")
    status, _, detail, _ = wait_for(mdapi, deploy_id)
    assert (status, detail["total_count"], detail["failed_count"]) == ("Succeeded", "7", "0")
    files = {"package.xml": kit.manifest({"Flow": ["Bad"]}), "flows/Bad.flow": kit.flow(message="Contact.Ghost")}
    bad = tmp_path / "bad.zip"
    bad.write_bytes(kit.zipped(files))
    # Without a test level, the library writes the text None into the options.
    deploy_id, _ = mdapi.deploy(str(bad), sandbox=False)
    status, _, detail, _ = wait_for(mdapi, deploy_id)
    assert status == "Failed"
    assert detail["errors"] == [
        {
            "type": "Flow",
            "file": "flows/Bad.flow",
            "status": "Error",
            "message": "Send (Action) - We can't find an action with the name and action type that you specified.",
        }
    ]


def test_components_are_written_one_by_one(mdapi) -> None:
    """zeep reads and writes components by the WSDL, including the order and types of elements."""
    field = mdapi.CustomField(
        fullName="Contact.Color__c", label="Color", type=mdapi._client.get_type("ns0:FieldType")("Text"), length=40
    )
    mdapi.CustomField.create(field)
    read = mdapi.CustomField.read("Contact.Color__c")
    assert (read.fullName, read.label, read.length, read.externalId) == ("Contact.Color__c", "Color", 40, False)
    read.label = "Shade"
    mdapi.CustomField.update(read)
    assert mdapi.CustomField.read("Contact.Color__c").label == "Shade"
    mdapi.CustomField.delete("Contact.Color__c")
    with pytest.raises(Exception, match=r"no CustomField named Contact.Color__c found"):
        mdapi.CustomField.delete("Contact.Color__c")


def test_types_and_components_are_listed(mdapi, org, kit) -> None:
    """zeep can parse the responses of `describe_metadata` and `list_metadata`."""
    org.deploy(kit.good())
    described = mdapi.describe_metadata()
    assert (
        "WorkflowRule"
        in next(
            metadata_object for metadata_object in described.metadataObjects if metadata_object.xmlName == "Workflow"
        ).childXmlNames
    )
    (query,) = [mdapi._client.get_type("ns0:ListMetadataQuery")(type="Flow", folder=None)]
    (flow,) = mdapi.list_metadata([query])
    assert (flow.fullName, flow.fileName, flow.id[:3]) == ("To_Relay", "flows/To_Relay.flow", "301")


def test_a_flow_is_stopped_through_tooling(salesforce, org, kit) -> None:
    """toolingexecute can deactivate the definition of a flow."""
    org.deploy(kit.good())
    (definition,) = org.query("SELECT Id FROM FlowDefinition")
    salesforce.toolingexecute(
        f"sobjects/FlowDefinition/{definition['Id']}", method="PATCH", data={"Metadata": {"activeVersionNumber": 0}}
    )
    assert org.query("SELECT ActiveVersionId FROM FlowDefinition")[0]["ActiveVersionId"] is None
