"""The wire format: URLs, envelopes, faults, REST, single components, Tooling."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from lxml import etree

from sfcode.local import serve
from sfcode.local.clock import OffsetClock, SystemClock

NS = "http://soap.sforce.com/2006/04/metadata"
REST = "/services/data/v62.0/metadata/deployRequest"


@pytest.mark.parametrize(
    "path", ["62.0", "62.0/", "62", "62.0/00D000000000001", "62.0/deployRequest", "62.0/deployRequest/0Af000000000001"]
)
def test_every_form_of_the_soap_url_is_accepted(shared, path: str) -> None:
    """Clients add a slash, the org's ID or the ID of a deploy."""
    root = shared.soap("<describeMetadata><asOfVersion>62.0</asOfVersion></describeMetadata>", path=path)
    assert root.findtext(f".//{{{NS}}}partialSaveAllowed") == "true"


def test_any_prefixes_and_order_of_options_are_accepted(shared) -> None:
    """Only local names matter: any prefix, no namespace at all, options in any order, and True for true are accepted."""
    data = (
        '<?xml version="1.0"?><soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:ns0="{NS}"><soap-env:Header><ns0:SessionHeader><ns0:sessionId>{shared.token}</ns0:sessionId>'
        "</ns0:SessionHeader></soap-env:Header><soap-env:Body><ns0:deploy>"
        "<ns0:DeployOptions>None<singlePackage>True</singlePackage><checkOnly>True</checkOnly></ns0:DeployOptions>"
        "<ns0:zipFile>AAAA</ns0:zipFile></ns0:deploy></soap-env:Body></soap-env:Envelope>"
    )
    root = shared.raw("/services/Soap/m/62.0", data.encode())
    deploy_id = root.findtext(f".//{{{NS}}}id")
    assert deploy_id.startswith("0Af")
    assert root.findtext(f".//{{{NS}}}state") == "Queued"
    result = shared.finish(deploy_id[:15])
    assert (result.report["checkOnly"], result.problems) == ("true", ["No package.xml found"])


def test_responses_have_no_namespace_prefix(shared) -> None:
    """Some clients search for tag names without a prefix."""
    root = shared.soap("<describeMetadata/>")
    result = next(root.iter(f"{{{NS}}}result"))
    assert result.prefix is None
    assert result.getparent().prefix is None


@pytest.mark.parametrize(
    ("body", "path", "fault"),
    [
        ("<fly/>", "62.0", "UNKNOWN_EXCEPTION: the local org has no operation fly"),
        ("<deploy/>", "62.0", "INVALID_FIELD: Required field is missing: ZipFile"),
        (
            "<describeMetadata/>",
            "20.0",
            "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL",
        ),
        (
            "<checkDeployStatus><asyncProcessId>0Af000000000009AAA</asyncProcessId></checkDeployStatus>",
            "62.0",
            "INVALID_CROSS_REFERENCE_KEY: invalid cross reference id",
        ),
        (
            "<listMetadata><queries><type>Wormhole</type></queries></listMetadata>",
            "62.0",
            "INVALID_TYPE: Unknown type:Wormhole",
        ),
        (
            "<deploy><ZipFile>AAAA</ZipFile><DeployOptions><testLevel>Some</testLevel></DeployOptions></deploy>",
            "62.0",
            "INVALID_OPERATION: 'Some' is not a valid value for the enum 'TestLevel'",
        ),
    ],
)
def test_faults_have_the_orgs_form(shared, kit, body: str, path: str, fault: str) -> None:
    """An invalid call is answered with HTTP 500 and an unprefixed fault."""
    with pytest.raises(kit.fault) as error:
        shared.soap(body, path=path)
    assert (error.value.code, error.value.text) == (f"sf:{fault.partition(':')[0]}", fault)


def test_an_invalid_session_is_refused(shared, kit, client) -> None:
    """SOAP and REST refuse a request without a valid session, each in its own format."""
    stranger = client(shared.org, shared.state)
    stranger.token = "00D!wrong"
    with pytest.raises(kit.fault) as error:
        stranger.soap("<describeMetadata/>")
    assert error.value.code == "sf:INVALID_SESSION_ID"
    status, body = stranger.rest("GET", f"{REST}/0Af000000000001AAA")
    assert (status, body[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<not xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>',
        "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"),
    ],
)
def test_hostile_bodies_end_in_a_fault(shared, kit, data: bytes) -> None:
    """A body that is not an envelope is refused."""
    with pytest.raises(kit.fault):
        shared.raw("/services/Soap/m/62.0", data)


def test_a_user_without_modify_metadata_cannot_deploy(shared, kit, client) -> None:
    """A user without the permission is refused before the package is read."""
    from datetime import UTC, datetime

    from sfcode.local.store import Store

    seller = client(shared.org, shared.state)
    seller.token = "00D!seller"
    with Store(shared.state / "org.db") as store, store.transaction() as tx:
        (user,) = tx.records.find("User", "Username", kit.user)
        tx.sessions.put(seller.token, str(user["Id"]), now=datetime.now(UTC))
    with pytest.raises(kit.fault) as error:
        seller.soap("<describeMetadata/>")
    assert error.value.text == (
        "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
    )
    status, body = seller.rest("GET", f"{REST}/0Af000000000001AAA")
    assert (status, body[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")


def multipart(*parts: tuple[str, str, bytes]) -> tuple[bytes, str]:
    body = b"".join(
        f"--b0undary\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for disposition, kind, content in parts
    )
    return body + b"--b0undary--\r\n", "multipart/form-data; boundary=b0undary"


@pytest.mark.parametrize("layout", ["sf", "cci"])
def test_a_package_can_be_deployed_over_rest(org, kit, layout: str) -> None:
    """The two parts may be in any order, booleans may be texts, and the report has details on request."""
    package = ('name="file"; filename="package.xml"', "application/zip", kit.zipped(kit.good()))
    flags = (
        {"singlePackage": True, "rollbackOnError": True}
        if layout == "sf"
        else {"checkOnly": "false", "testLevel": None}
    )
    described = (
        'name="entity_content"' if layout == "sf" else 'name="json"',
        "application/json",
        json.dumps({"deployOptions": flags}).encode(),
    )
    body, content_type = multipart(*([package, described] if layout == "sf" else [described, package]))
    status, deployment = org.rest("POST", REST, data=body, content_type=content_type)
    assert (status, deployment["deployResult"], deployment["deployOptions"]["checkOnly"]) == (201, None, False)
    org.finish(deployment["id"])
    status, document = org.rest("GET", f"{REST}/{deployment['id']}?includeDetails=true")
    result = document["deployResult"]
    assert (status, result["status"], result["success"], result["done"]) == (200, "Succeeded", True, True)
    assert {component_success["fullName"] for component_success in result["details"]["componentSuccesses"]} >= {
        "To_Relay",
        "Contact.Score__c",
    }
    assert {"lineNumber", "columnNumber", "warning"} <= set(result["details"]["componentSuccesses"][0])
    assert org.rest("GET", f"{REST}/{deployment['id']}")[1]["deployResult"]["details"] is None
    status, refused = org.rest("PATCH", f"{REST}/{deployment['id']}", {"deployResult": {"status": "Canceling"}})
    assert (status, refused[0]["message"]) == (400, "Deployment already completed")


@pytest.mark.parametrize(
    ("data", "content_type", "code"),
    [
        (b"--x", "multipart/form-data", "INVALID_MULTIPART_REQUEST"),
        (b"nothing of the kind", "multipart/form-data; boundary=b", "INVALID_MULTIPART_REQUEST"),
        (b"{", "application/json", "JSON_PARSER_ERROR"),
        (b"{}", "application/json", "INVALID_FIELD"),
        (b'{"validatedDeployRequestId": "0Af000000000009AAA"}', "application/json", "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_wrong_bodies_are_refused_over_rest(shared, data: bytes, content_type: str, code: str) -> None:
    """An invalid body is answered with a REST error."""
    status, body = shared.rest("POST", REST, data=data, content_type=content_type)
    assert status in {400, 404}
    assert body[0]["errorCode"] == code


def test_a_validation_with_tests_can_be_deployed_later(org, kit) -> None:
    """Only a validation with tests can be deployed by a quick deploy."""
    plain = org.deploy(kit.good(), checkOnly=True)
    status, refused = org.rest("POST", REST, {"validatedDeployRequestId": plain.id})
    assert (status, refused[0]["errorCode"]) == (400, "INVALID_ID_FIELD")
    tested = org.deploy(kit.good(), checkOnly=True, testLevel="RunLocalTests")
    assert tested.status == "Succeeded"
    status, deployment = org.rest("POST", REST, {"validatedDeployRequestId": tested.id})
    assert status == 201
    assert org.finish(deployment["id"]).of("To_Relay")["created"] == "true"
    once_more = org.deploy(kit.good(), checkOnly=True, testLevel="RunLocalTests")
    answer = org.soap(f"<deployRecentValidation><validationId>{once_more.id}</validationId></deployRecentValidation>")
    assert org.finish(answer.findtext(f".//{{{NS}}}result")).status == "Succeeded"


def test_a_deploy_ends_all_validations_before_it(org, kit) -> None:
    """After any deployment, older validations cannot be deployed any more."""
    tested = org.deploy(kit.good(), checkOnly=True, testLevel="RunLocalTests")
    assert org.deploy(kit.good()).status == "Succeeded"
    with pytest.raises(kit.fault) as error:
        org.soap(f"<deployRecentValidation><validationId>{tested.id}</validationId></deployRecentValidation>")
    assert error.value.code == "sf:INVALID_ID_FIELD"
    assert "something was deployed since" in error.value.text


def test_a_validation_is_good_for_ten_days_on_the_orgs_clock(kit, client, tmp_path) -> None:
    """On the eleventh day the validation cannot be deployed any more."""
    clock = OffsetClock(SystemClock())
    with serve(tmp_path, clock=clock) as served:
        org = client(served, tmp_path)
        tested = org.deploy(kit.good(), checkOnly=True, testLevel="RunLocalTests")
        clock.offset = timedelta(days=11)
        call = f"<deployRecentValidation><validationId>{tested.id}</validationId></deployRecentValidation>"
        with pytest.raises(kit.fault):
            org.soap(call)
        clock.offset = timedelta(days=9)
        assert org.finish(org.soap(call).findtext(f".//{{{NS}}}result")).status == "Succeeded"


def test_list_metadata_returns_files_and_authors(shared) -> None:
    """listMetadata returns name, file, ID and author of the last change."""
    root = shared.soap(
        "<listMetadata><queries><type>WorkflowOutboundMessage</type></queries><queries><type>Flow</type></queries></listMetadata>"
    )
    entries = [
        {etree.QName(entry).localname: entry.text for entry in result} for result in root.iter(f"{{{NS}}}result")
    ]
    assert [(entry["type"], entry["fullName"], entry["fileName"]) for entry in entries] == [
        ("WorkflowOutboundMessage", "Contact.To_Relay", "workflows/Contact.workflow"),
        ("Flow", "To_Relay", "flows/To_Relay.flow"),
    ]
    assert entries[0]["lastModifiedByName"] == "Robin Admin"
    assert entries[0]["id"].startswith("04k")


def test_describe_metadata_returns_the_children_of_workflows(shared) -> None:
    """describeMetadata returns folder, suffix and children of a type."""
    root = shared.soap("<describeMetadata/>")
    types = {element.findtext(f"{{{NS}}}xmlName"): element for element in root.iter(f"{{{NS}}}metadataObjects")}
    workflow = types["Workflow"]
    assert workflow.findtext(f"{{{NS}}}directoryName") == "workflows"
    assert "WorkflowRule" in [element.text for element in workflow.iter(f"{{{NS}}}childXmlNames")]
    assert types["ApexClass"].findtext(f"{{{NS}}}metaFile") == "true"


def test_components_can_be_written_one_by_one(org) -> None:
    """Single components can be created, read, updated, upserted and deleted, with the checks of a deploy."""
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

    def call(operation: str, inner: str, name: str = "Contact.Color__c") -> list[dict[str, str]]:
        root = org.soap(
            f'<{operation}><metadata {xsi} xsi:type="CustomField"><fullName>{name}</fullName>{inner}</metadata></{operation}>'
        )
        return [
            {
                etree.QName(element).localname: element.text or (element.findtext(f"{{{NS}}}message") or "")
                for element in result
            }
            for result in root.iter(f"{{{NS}}}result")
        ]

    text = "<type>Text</type><length>40</length><label>Color</label>"
    assert call("updateMetadata", text)[0]["errors"] == "no CustomField named Contact.Color__c found"
    assert call("createMetadata", text) == [{"fullName": "Contact.Color__c", "success": "true"}]
    assert call("createMetadata", text)[0]["errors"] == "There is already a CustomField named Contact.Color__c"
    assert call("upsertMetadata", text.replace("40", "50")) == [
        {"created": "false", "fullName": "Contact.Color__c", "success": "true"}
    ]
    assert call("upsertMetadata", "<formula>Ghost__c</formula><label>G</label><type>Text</type>", "Contact.G__c")[0][
        "errors"
    ] == ("Field Ghost__c does not exist. Check spelling.")
    read = org.soap(
        "<readMetadata><type>CustomField</type><fullNames>Contact.Color__c</fullNames><fullNames>Contact.No__c</fullNames></readMetadata>"
    )
    records = list(read.iter(f"{{{NS}}}records"))
    assert records[0].findtext(f"{{{NS}}}length") == "50"
    assert records[1].get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    deletion = org.soap(
        "<deleteMetadata><type>CustomField</type><fullNames>Contact.Color__c</fullNames><fullNames>Contact.No__c</fullNames></deleteMetadata>"
    )
    assert [element.findtext(f"{{{NS}}}success") for element in deletion.iter(f"{{{NS}}}result")] == ["true", "false"]


def test_the_tooling_api_finds_and_changes_flows(org, kit) -> None:
    """Through the Tooling API a flow is found, deactivated and activated again, and an inactive version is deleted."""
    org.deploy(kit.good())
    (version,) = org.query("SELECT Id, VersionNumber, Status, DefinitionId, Definition.DeveloperName FROM Flow")
    assert (version["VersionNumber"], version["Status"]) == (1, "Active")
    assert version["Definition"]["DeveloperName"] == "To_Relay"
    (definition,) = org.query("SELECT Id, DeveloperName, ActiveVersionId, LatestVersionId FROM FlowDefinition")
    assert definition["ActiveVersionId"] == definition["LatestVersionId"] == version["Id"]
    base = "/services/data/v62.0/tooling/sobjects"
    status, refused = org.rest("DELETE", f"{base}/Flow/{version['Id']}")
    assert (status, refused[0]["errorCode"]) == (400, "DELETE_FAILED")
    path = f"{base}/FlowDefinition/{definition['Id']}"
    assert org.rest("PATCH", path, {"Metadata": {"activeVersionNumber": 7}})[0] == 400
    assert org.rest("PATCH", path, {"Metadata": {"activeVersionNumber": 0}})[0] == 204
    assert org.rest("GET", path)[1]["Metadata"]["activeVersionNumber"] == 0
    assert org.rest("PATCH", path, {"Metadata": {"activeVersionNumber": 1}})[0] == 204
    assert org.query("SELECT Status FROM Flow")[0]["Status"] == "Active"
    assert org.rest("PATCH", path, {"Metadata": {"activeVersionNumber": None}})[0] == 204
    assert org.rest("DELETE", f"{base}/Flow/{version['Id'][:15]}")[0] == 204
    assert org.rest("GET", path)[0] == 404


def test_a_flow_definition_can_be_deployed(org, kit) -> None:
    """The definition activates or deactivates a version, and cannot name a missing version."""
    org.deploy(kit.good())

    def deploy(number: int) -> object:
        return org.deploy(
            {
                "package.xml": kit.manifest({"FlowDefinition": ["To_Relay"]}),
                "flowDefinitions/To_Relay.flowDefinition": kit.wrap(
                    "FlowDefinition", f"<activeVersionNumber>{number}</activeVersionNumber>"
                ),
            }
        )

    assert deploy(0).status == "Succeeded"
    assert org.query("SELECT Status FROM Flow")[0]["Status"] == "Obsolete"
    assert deploy(9).problems == ["In field: activeVersionNumber - no Flow named To_Relay-9 found"]
    assert deploy(1).of("To_Relay")["changed"] == "true"


def test_check_status_returns_deploys_and_retrieves(org, kit) -> None:
    """checkStatus returns the status of deploys and of retrieves."""
    result = org.deploy(kit.good())
    retrieved = org.soap("<retrieve><request><apiVersion>62.0</apiVersion></request></retrieve>").findtext(
        f".//{{{NS}}}id"
    )
    for job in (result.id, retrieved):
        root = org.soap(f"<checkStatus><asyncProcessId>{job}</asyncProcessId></checkStatus>")
        assert root.findtext(f".//{{{NS}}}done") == "true"
        assert root.findtext(f".//{{{NS}}}state") == "Completed"


def test_a_retrieve_reports_missing_components(shared) -> None:
    """Unknown types and names are messages; existing components are retrieved."""
    retrieved_files = shared.retrieve(
        {"CustomField": ["Contact.Ghost__c", "contact.score__c"], "Wormhole": ["*"], "Flow": ["To_Relay-1"]}
    )
    assert [entry["problem"] for entry in retrieved_files["messages"]] == [
        "Entity of type 'CustomField' named 'Contact.Ghost__c' cannot be found",
        "Entity type: 'Wormhole' is unknown",
    ]
    assert {"unpackaged/objects/Contact.object", "unpackaged/flows/To_Relay-1.flow"} <= set(retrieved_files["files"])
    assert {entry["fullName"] for entry in retrieved_files["properties"]} == {"Contact.Score__c", "To_Relay-1"}
