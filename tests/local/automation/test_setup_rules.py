"""Assignment rules, duplicate rules and failing flows: their effect on a save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sfcode.local.store import Store
from sfcode.metadata.package import write, zip_files
from sfcode.org import connect
from sfcode.org.results import DeployOptions
from tests.local.automation.building import API, deploy, flow, message

NS = "http://soap.sforce.com/2006/04/metadata"
SELLER = "sam.seller@northwind.example"
MATCHING = """
<matchingRules><fullName>Same_Email</fullName><label>Same e-mail address</label>
<matchingRuleItems><blankValueBehavior>NullNotAllowed</blankValueBehavior><fieldName>Email</fieldName>
<matchingMethod>Exact</matchingMethod></matchingRuleItems><ruleStatus>Active</ruleStatus></matchingRules>"""


@pytest.fixture
def deploy_files(org) -> Callable[..., None]:
    """Return a function that deploys files of types that are not modeled: (type, member, path, content)."""

    def deploying(*files: tuple[str, str, str, str]) -> None:
        types = "".join(
            f"<types><members>{member}</members><name>{type_}</name></types>" for type_, member, _, _ in files
        )
        manifest = f'<Package xmlns="{NS}">{types}<version>{API}</version></Package>'
        zipped = {"package.xml": manifest.encode()}
        for type_, _, path, content in files:
            zipped[path] = f'<{type_} xmlns="{NS}">{content}</{type_}>'.encode()
        with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API) as client:
            result = client.metadata.follow(client.metadata.deploy(zip_files(zipped), DeployOptions()))
        assert result.success, result.failures

    return deploying


@pytest.fixture
def assignment_rule(deploy_files) -> None:
    """Deploy a rule that assigns leads from the web to the seller."""
    entry = (
        f"<ruleEntry><assignedTo>{SELLER}</assignedTo><assignedToType>User</assignedToType><criteriaItems>"
        "<field>Lead.LeadSource</field><operation>equals</operation><value>Web</value></criteriaItems></ruleEntry>"
    )
    rule = f"<assignmentRule><fullName>Standard</fullName><active>true</active>{entry}</assignmentRule>"
    deploy_files(("AssignmentRules", "Lead", "assignmentRules/Lead.assignmentRules", rule))


def owner(rest, lead: str) -> str:
    return rest.value(f"SELECT Owner.Username FROM Lead WHERE Id = '{lead}'")["Username"]


@pytest.mark.parametrize(("header", "assigned"), [(None, True), ("TRUE", True), ("FALSE", False)])
def test_an_assignment_rule_runs_unless_the_header_says_no(rest, assignment_rule, header, assigned) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm"""
    headers = {"Sforce-Auto-Assign": header} if header else {}
    record_id = rest("POST", "/sobjects/Lead", json={"LastName": "A", "Company": "B"}, headers=headers).json()["id"]
    before = owner(rest, record_id)
    assert before != SELLER, "no entry of the rule is about it"
    assert rest("PATCH", f"/sobjects/Lead/{record_id}", json={"LeadSource": "Web"}, headers=headers).status_code == 204
    assert owner(rest, record_id) == (SELLER if assigned else before)


def test_a_collection_takes_the_header_too(rest, assignment_rule) -> None:
    record = {"attributes": {"type": "Lead"}, "LastName": "A", "Company": "B", "LeadSource": "Web"}
    body = {"allOrNone": False, "records": [record]}
    for header, assigned in (("FALSE", False), ("TRUE", True)):
        answer = rest("POST", "/composite/sobjects", json=body, headers={"Sforce-Auto-Assign": header}).json()
        assert (owner(rest, answer[0]["id"]) == SELLER) is assigned


def duplicate_rule(action: str) -> str:
    return (
        f"<actionOnInsert>{action}</actionOnInsert><actionOnUpdate>{action}</actionOnUpdate><alertText>Use one of these records?"
        "</alertText><duplicateRuleMatchRules><matchRuleSObjectType>Contact</matchRuleSObjectType>"
        "<matchingRule>Same_Email</matchingRule></duplicateRuleMatchRules><isActive>true</isActive><masterLabel>Same</masterLabel>"
        "<operationsOnInsert>Alert</operationsOnInsert><operationsOnInsert>Report</operationsOnInsert>"
        "<operationsOnUpdate>Alert</operationsOnUpdate>"
    )


@pytest.mark.parametrize(
    ("action", "header", "status"),
    [("Allow", None, 400), ("Allow", "allowSave=true", 204), ("Block", None, 400), ("Block", "allowSave=true", 400)],
)
def test_a_duplicate_rule_alerts_or_blocks(rest, deploy_files, action, header, status) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm"""
    deploy_files(
        ("MatchingRules", "Contact", "matchingRules/Contact.matchingRule", MATCHING),
        ("DuplicateRule", "Contact.Same", "duplicateRules/Contact.Same.duplicateRule", duplicate_rule(action)),
    )
    rest.create("Contact", LastName="One", Email="one@example.com")
    contact = rest.create("Contact", LastName="Two", Email="two@example.com")
    headers = {"Sforce-Duplicate-Rule-Header": header} if header else {}
    answer = rest("PATCH", f"/sobjects/Contact/{contact}", json={"Email": "ONE@example.com"}, headers=headers)
    assert answer.status_code == status
    if status == 400:
        (error,) = answer.json()
        assert (error["errorCode"], error["message"]) == ("DUPLICATES_DETECTED", "Use one of these records?")
    assert rest("PATCH", f"/sobjects/Contact/{contact}", json={"Email": "three@example.com"}).status_code == 204


def creating_flow(**more):
    """Make a flow that creates a task about the contact."""
    entries = {"WhoId": {"elementReference": "$Record.Id"}, "Subject": {"elementReference": "$Record.Title"}}
    element = {
        "label": "Task",
        "locationX": 0,
        "locationY": 0,
        "connector": {"targetReference": "Send"},
        "inputAssignments": {field: {"value": value} for field, value in entries.items()},
        "object": "Task",
    }
    start = {"connector": {"targetReference": "Make"}, "recordTriggerType": "Update"}
    return flow(start, recordCreates={"Make": element | more})


def test_a_flow_creates_records(org, rest, contact, receiver) -> None:
    deploy(org, message(receiver.url, ["Id"]), creating_flow())
    assert rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Call"}).status_code == 204
    assert rest.value(f"SELECT Subject FROM Task WHERE WhoId = '{contact['Id']}'") == "Call"


def test_a_flow_that_fails_refuses_the_save(org, rest, contact, receiver) -> None:
    """https://github.com/SFDO-Community/declarative-lookup-rollup-summaries/issues/1035"""
    wrong = {"WhoId": {"value": {"stringValue": "003000000000999AAA"}}}
    deploy(org, message(receiver.url, ["Id"]), creating_flow(inputAssignments=wrong))
    answer = rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Call"})
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "CANNOT_EXECUTE_FLOW_TRIGGER")
    assert "the \u201cSend_Contact\u201d process failed" in error["message"]
    assert "INVALID_CROSS_REFERENCE_KEY" in error["message"]
    assert rest.value(f"SELECT Title FROM Contact WHERE Id = '{contact['Id']}'") == contact["Title"]


def test_a_fault_path_catches_what_fails(org, rest, contact, receiver) -> None:
    wrong = {"WhoId": {"value": {"stringValue": "003000000000999AAA"}}}
    caught = creating_flow(inputAssignments=wrong, faultConnector={"targetReference": "Send"})
    deploy(org, message(receiver.url, ["Id"]), caught)
    assert rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Call"}).status_code == 204


@pytest.mark.parametrize("case", [("Professional Edition", False), ("Enterprise Edition", True)])
def test_an_edition_without_outbound_messages_refuses_them(org, state, rest, receiver, case) -> None:
    """https://help.salesforce.com/s/articleView?id=platform.workflow_managing_outbound_messages.htm"""
    edition, is_taken = case
    (company,) = rest.rows("SELECT Id FROM Organization")
    store = Store(state / "org.db")
    with store.transaction() as tx:
        tx.records.update(
            "Organization", company["Id"], {"OrganizationType": edition}, user_id=company["Id"], now=datetime.now(UTC)
        )
    store.close()
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API) as client:
        zipped = zip_files(write([message(receiver.url, ["Id"])], API))
        result = client.metadata.follow(client.metadata.deploy(zipped, DeployOptions()))
    assert [failure.problem for failure in result.failures] == (
        [] if is_taken else ["Not available for deploy for this organization"]
    )
