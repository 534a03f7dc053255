"""The requests of the Metadata API client, and the parsing of the responses."""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from sfcode.errors import OrgError, SfcodeError
from sfcode.metadata.component import Component
from sfcode.metadata.package import zip_files
from sfcode.org import DeployOptions, FileProperties, MetadataDescription, Retrieved
from sfcode.org.results import DescribedType
from sfcode.org.soap import local_name
from tests.org.servers import TOKEN, Answer, Request, fault, script, soap

FILES = {"unpackaged/flows/F.flow": b"<Flow/>", "unpackaged/package.xml": b"<Package/>"}
ZIP = base64.b64encode(zip_files(FILES)).decode()
QUEUED = "<done>false</done><id>0Af000000000001AAA</id><state>Queued</state>"


def operation(request: Request) -> etree._Element:
    """Find the operation in a request's body."""
    (body,) = (child for child in etree.fromstring(request.body) if local_name(child) == "Body")
    return body[0]


def tree(element: etree._Element) -> tuple[str, object]:
    return local_name(element), [tree(child) for child in element] or (element.text or "")


def test_deploy_sends_the_zip_and_the_options(org_at) -> None:
    server, org = org_at(script(soap("deploy", QUEUED)))
    assert org.metadata.deploy(b"PK-zip", DeployOptions(check_only=True)) == "0Af000000000001AAA"
    (request,) = server.requests
    assert request.path == "/services/Soap/m/63.0"
    assert request.headers["SOAPAction"] == '""'
    name, [(zip_name, zip_text), (options_name, options)] = tree(operation(request))
    assert (name, zip_name, options_name) == ("deploy", "ZipFile", "DeployOptions")
    assert base64.b64decode(zip_text) == b"PK-zip"
    assert ("checkOnly", "true") in options
    assert TOKEN in request.body.decode()
    assert "Authorization" not in request.headers


def test_quick_deploy_names_the_validation(org_at) -> None:
    answer = soap("deployRecentValidation").body.replace(
        b"</deployRecentValidationResponse>", b"<result>0Af000000000002AAA</result></deployRecentValidationResponse>"
    )
    server, org = org_at(script(Answer(200, answer)))
    assert org.metadata.quick_deploy("0Af000000000001AAA") == "0Af000000000002AAA"
    assert tree(operation(server.requests[0])) == ("deployRecentValidation", [("validationId", "0Af000000000001AAA")])


def test_cancel_uses_the_element_of_the_wsdl(org_at) -> None:
    server, org = org_at(script(soap("cancelDeploy", "<done>false</done><id>0Af000000000001AAA</id>")))
    assert org.metadata.cancel_deploy("0Af000000000001AAA") is False
    assert tree(operation(server.requests[0])) == ("cancelDeploy", [("String", "0Af000000000001AAA")])


def test_retrieve_asks_polls_and_unpacks(org_at, time) -> None:
    result_text = (
        "<done>true</done><id>09S000000000001AAA</id><status>Succeeded</status><success>true</success>"
        "<fileProperties><createdByName>Ada</createdByName><fileName>unpackaged/flows/F.flow</fileName>"
        "<fullName>F</fullName><id>301</id><lastModifiedByName>Bob</lastModifiedByName>"
        "<lastModifiedDate>2026-11-23T10:00:00.000Z</lastModifiedDate><type>Flow</type></fileProperties>"
        "<messages><fileName>unpackaged/package.xml</fileName><problem>Entity of type 'Flow' named 'G' cannot be found"
        f"</problem></messages><zipFile>{ZIP}</zipFile>"
    )
    answers = [
        soap("retrieve", "<done>false</done><id>09S000000000001AAA</id><state>Queued</state>"),
        soap("checkRetrieveStatus", "<done>false</done><id>09S000000000001AAA</id><success>false</success>"),
        soap("checkRetrieveStatus", result_text),
    ]
    server, org = org_at(script(*answers))
    assert org.metadata.retrieve({"Flow": ["G", "F", "G"], "CustomField": ["Contact.X__c"], "Layout": []}) == Retrieved(
        files={"flows/F.flow": b"<Flow/>", "package.xml": b"<Package/>"},
        messages=("Entity of type 'Flow' named 'G' cannot be found",),
        properties=(
            FileProperties(
                "Flow", "F", "unpackaged/flows/F.flow", "301", "Ada",
                last_modified_by="Bob", last_modified_date="2026-11-23T10:00:00.000Z",
            ),
        ),
    )  # fmt: skip
    assert tree(operation(server.requests[0])) == (
        "retrieve",
        [
            (
                "retrieveRequest",
                [
                    ("apiVersion", "63.0"),
                    ("singlePackage", "true"),
                    (
                        "unpackaged",
                        [
                            ("types", [("members", "Contact.X__c"), ("name", "CustomField")]),
                            ("types", [("members", "F"), ("members", "G"), ("name", "Flow")]),
                            ("version", "63.0"),
                        ],
                    ),
                ],
            )
        ],
    )
    assert tree(operation(server.requests[1])) == (
        "checkRetrieveStatus",
        [("asyncProcessId", "09S000000000001AAA"), ("includeZip", "true")],
    )
    assert time.slept == [0.2]


def test_a_retrieve_without_components_sends_no_request(org_at) -> None:
    server, org = org_at(script(fault("X", "not asked")))
    assert org.metadata.retrieve({"Flow": []}) == Retrieved({})
    assert server.requests == []


def test_a_failed_retrieve_has_the_orgs_message(org_at) -> None:
    failed = (
        "<done>true</done><errorMessage>too many files</errorMessage><errorStatusCode>LIMIT_EXCEEDED</errorStatusCode>"
        "<id>09S000000000001AAA</id><status>Failed</status><success>false</success>"
    )
    _, org = org_at(script(soap("retrieve", "<id>09S000000000001AAA</id>"), soap("checkRetrieveStatus", failed)))
    with pytest.raises(OrgError, match="LIMIT_EXCEEDED: too many files") as caught:
        org.metadata.retrieve({"Flow": ["F"]})
    assert caught.value.code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("zip_text", ["", "!!!", base64.b64encode(b"no zip").decode()])
def test_a_retrieve_without_a_zip_is_an_error(org_at, zip_text: str) -> None:
    result_text = f"<done>true</done><status>Succeeded</status><success>true</success><zipFile>{zip_text}</zipFile>"
    _, org = org_at(script(soap("retrieve", "<id>09S000000000001AAA</id>"), soap("checkRetrieveStatus", result_text)))
    with pytest.raises(SfcodeError):
        org.metadata.retrieve({"Flow": ["F"]})


def test_a_retrieve_that_never_ends_is_an_error(org_at) -> None:
    queued = soap("checkRetrieveStatus", "<done>false</done><id>09S000000000001AAA</id>")
    _, org = org_at(script(soap("retrieve", "<id>09S000000000001AAA</id>"), queued))
    with pytest.raises(OrgError, match="did not finish the retrieve 09S000000000001AAA in 1 s"):
        org.metadata.retrieve({"Flow": ["F"]}, timeout=1)


def test_lists_three_types_at_a_time(org_at) -> None:
    def answer(request: Request) -> Answer:
        types = [child[0].text for child in operation(request) if local_name(child) == "queries"]
        return soap("listMetadata", *(f"<fullName>{name}1</fullName><type>{name}</type>" for name in types))

    server, org = org_at(answer)
    components = org.metadata.list_metadata("A", "B", "C", "D")
    assert [(item.type, item.full_name) for item in components] == [(name, f"{name}1") for name in "ABCD"]
    assert len(server.requests) == 2


def test_reads_ten_components_at_a_time_and_leaves_unknown_ones_out(org_at) -> None:
    def answer(request: Request) -> Answer:
        names = [child.text for child in operation(request) if local_name(child) == "fullNames"]
        assert len(names) <= 10
        records = [
            '<records xsi:nil="true"/>'
            if name.endswith("3__c")
            else f'<records xsi:type="CustomField"><fullName>{name}</fullName><label>{name}</label></records>'
            for name in names
        ]
        return soap("readMetadata", "".join(records))

    server, org = org_at(answer)
    names = [f"Contact.F{number}__c" for number in range(1, 13)]
    assert org.metadata.read_metadata("CustomField", names) == tuple(
        Component("CustomField", name, {"label": name}) for name in names if name != "Contact.F3__c"
    )
    assert len(server.requests) == 2


def test_describes_the_types_of_an_org(org_at) -> None:
    inner = (
        "<metadataObjects><childXmlNames>WorkflowRule</childXmlNames><childXmlNames>WorkflowAlert</childXmlNames>"
        "<directoryName>workflows</directoryName><inFolder>false</inFolder><metaFile>false</metaFile>"
        "<suffix>workflow</suffix><xmlName>Workflow</xmlName></metadataObjects>"
        "<organizationNamespace/><partialSaveAllowed>true</partialSaveAllowed><testRequired>false</testRequired>"
    )
    _, org = org_at(script(soap("describeMetadata", inner)))
    assert org.metadata.describe_metadata() == MetadataDescription(
        (DescribedType("Workflow", "workflows", "workflow", children=("WorkflowRule", "WorkflowAlert")),),
        partial_save_allowed=True,
    )


@pytest.mark.parametrize("answer", [soap("deploy"), soap("deploy", "<done>false</done>")])
def test_a_deploy_without_an_id_is_an_error(org_at, answer: Answer) -> None:
    _, org = org_at(script(answer))
    with pytest.raises(OrgError, match="returned no deployment ID"):
        org.metadata.deploy(b"zip", DeployOptions())


def test_follow_shows_progress_to_the_end(org_at) -> None:
    def status(name: str, done: bool) -> Answer:
        flags = f"<done>{str(done).lower()}</done><success>{str(done).lower()}</success>"
        return soap("checkDeployStatus", f"<id>0Af000000000001AAA</id><status>{name}</status>{flags}")

    server, org = org_at(script(status("Pending", False), status("InProgress", False), status("Succeeded", True)))
    statuses = []
    assert org.metadata.follow("0Af000000000001AAA", statuses.append).success
    assert [result.status for result in statuses] == ["Pending", "InProgress", "Succeeded"]
    assert tree(operation(server.requests[0])) == (
        "checkDeployStatus",
        [("asyncProcessId", "0Af000000000001AAA"), ("includeDetails", "true")],
    )
