"""Destructive changes: deletable and referenced components, and the deletion of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sfcode.metadata.package import read

NO_ACCESS = "insufficient access rights on cross-reference id"


def destroy(
    org: Any, kit: Any, members: Mapping[str, list[str]], *, name: str = "destructiveChanges.xml", **options: object
) -> Any:
    files = {"package.xml": kit.manifest({}), name: kit.manifest(members, version="")}
    return org.deploy(files, **options)


def stop(org: Any) -> None:
    (definition,) = org.query("SELECT Id, ActiveVersionId FROM FlowDefinition WHERE DeveloperName = 'To_Relay'")
    path = f"/services/data/v62.0/tooling/sobjects/FlowDefinition/{definition['Id']}"
    assert org.rest("PATCH", path, {"Metadata": {"activeVersionNumber": 0}}) == (204, None)


@pytest.fixture
def deployed(org, kit):
    """Return an org with the good package in it."""
    assert org.deploy(kit.good()).status == "Succeeded"
    return org


@pytest.mark.parametrize("name", ["destructiveChanges.xml", "destructiveChangesPre.xml", "destructiveChangesPost.xml"])
def test_unreferenced_components_are_deleted(deployed, kit, name: str) -> None:
    """Each of the three manifests deletes the component and reports the deletion."""
    result = destroy(deployed, kit, {"StaticResource": ["State"], "PermissionSet": ["Integration"]}, name=name)
    assert result.status == "Succeeded"
    message = result.of("Integration")
    assert (message["deleted"], message["changed"], message["fileName"]) == ("true", "true", name)
    assert deployed.retrieve({"StaticResource": ["*"], "PermissionSet": ["Integration"]})["messages"] == [
        {
            "fileName": "unpackaged/package.xml",
            "problem": "Entity of type 'PermissionSet' named 'Integration' cannot be found",
        }
    ]


def test_deleting_a_missing_component_is_a_warning(deployed, kit) -> None:
    """The deletion of a missing component fails, unless warnings are ignored."""
    members = {"WorkflowRule": ["Contact.Ghost"]}
    strict = destroy(deployed, kit, members)
    assert (strict.status, strict.problems) == ("Failed", ["No WorkflowRule named: Contact.Ghost found"])
    assert (strict.failures[0]["problemType"], strict.failures[0]["fullName"]) == ("Warning", "destructiveChanges.xml")
    lenient = destroy(deployed, kit, members, ignoreWarnings=True)
    assert lenient.status == "Succeeded"
    assert lenient.of("destructiveChanges.xml")["success"] == "true"


def test_a_referenced_field_is_not_deleted(deployed, kit) -> None:
    """The refusal names the formulas, flows and messages that refer to the field."""
    before = deployed.snapshot()
    result = destroy(deployed, kit, {"CustomField": ["Contact.Product_User_Id__c"]})
    (version,) = deployed.query("SELECT Id FROM Flow")
    assert result.problems == [
        (
            "This custom field is referenced elsewhere in salesforce.com. Remove the usage and try again. : "
            f"Custom Field - Contact.External_Id__c, Flow Version - {version['Id']}"
        )
    ]
    assert deployed.snapshot() == before
    refusal = destroy(deployed, kit, {"CustomField": ["Contact.External_Id__c"]})
    assert refusal.problems[0].endswith(" : Workflow Outbound Message - Contact.To_Relay")


def test_a_deleted_field_is_removed_from_permission_sets_and_records(deployed, kit) -> None:
    """A field that is created again under the same name is blank."""
    for name in ("Contact.Score__c", "Activity.Source_Id__c"):
        assert destroy(deployed, kit, {"CustomField": [name]}).status == "Succeeded"
    (component,) = read(deployed.retrieve({"PermissionSet": ["Integration"]})["files"])
    assert set(component.body["fieldPermissions"]) == {"Contact.External_Id__c", "Event.Description"}
    destroy(deployed, kit, {"CustomField": ["Contact.Plan__c"]})
    _, contacts, _ = deployed.snapshot()[1:]
    assert contacts
    assert all(row.get("Plan__c") is None for row in contacts)


def test_fields_that_refer_to_each_other_are_deleted_together(deployed, kit) -> None:
    """References from components of the same manifest do not count."""
    files = {
        "package.xml": kit.manifest({"CustomField": ["Contact.Base__c", "Contact.Shown__c"]}),
        "objects/Contact.object": kit.wrap("CustomObject", kit.field("Base__c"), kit.formula("Shown__c", "Base__c")),
    }
    assert deployed.deploy(files).status == "Succeeded"
    assert destroy(deployed, kit, {"CustomField": ["Contact.Base__c"]}).status == "Failed"
    assert destroy(deployed, kit, {"CustomField": ["Contact.Base__c", "Contact.Shown__c"]}).status == "Succeeded"


def test_a_flow_is_deleted_version_by_version(deployed, kit) -> None:
    """
    The flow's name and its active version are refused.

    After the flow is deactivated, its versions can be deleted, and then its message.
    """
    assert destroy(deployed, kit, {"Flow": ["To_Relay"]}).problems == [NO_ACCESS]
    active = destroy(deployed, kit, {"Flow": ["To_Relay-1"]})
    assert active.problems == ["You can't delete a flow version that is active. Deactivate it first."]
    (version,) = deployed.query("SELECT Id FROM Flow")
    first_refusal = destroy(deployed, kit, {"WorkflowOutboundMessage": ["Contact.To_Relay"]})
    assert first_refusal.problems == [
        (
            "This outbound message is referenced elsewhere in salesforce.com. Remove the usage and try again. : "
            f"Flow Version - {version['Id']}"
        )
    ]
    stop(deployed)
    second_refusal = destroy(deployed, kit, {"WorkflowOutboundMessage": ["Contact.To_Relay"]})
    assert second_refusal.status == "Failed"
    deletion = destroy(deployed, kit, {"Flow": ["To_Relay-1"], "WorkflowOutboundMessage": ["Contact.To_Relay"]})
    assert deletion.status == "Succeeded", deletion.failures
    assert deployed.query("SELECT Id FROM FlowDefinition") == []


def test_a_wildcard_reports_success_and_deletes_nothing(deployed, kit) -> None:
    """`Flow-*` cannot be used to delete a flow."""
    before = deployed.snapshot()
    result = destroy(deployed, kit, {"Flow": ["To_Relay-*"]})
    assert (result.status, result.of("To_Relay-*")["deleted"]) == ("Succeeded", "false")
    assert deployed.snapshot() == before


def test_a_message_of_a_rule_is_not_deleted(org, kit) -> None:
    """The message can be deleted after the rule, or together with it."""
    files = {
        "package.xml": kit.manifest({"WorkflowOutboundMessage": ["Contact.Old"], "WorkflowRule": ["Contact.Old Rule"]}),
        "workflows/Contact.workflow": kit.wrap(
            "Workflow",
            kit.message("Old", "Id"),
            kit.rule("Old Rule", kit.sends("Old"), "<formula>NOT(ISBLANK(Id))</formula>"),
        ),
    }
    assert org.deploy(files).status == "Succeeded"
    assert destroy(org, kit, {"WorkflowOutboundMessage": ["Contact.Old"]}).problems == [
        (
            "This outbound message is referenced elsewhere in salesforce.com. Remove the usage and try again. : "
            "Workflow Rule - Contact.Old Rule"
        )
    ]
    members = {"WorkflowOutboundMessage": ["Contact.Old"], "WorkflowRule": ["Contact.Old Rule"]}
    assert destroy(org, kit, members).status == "Succeeded"


def test_deletions_before_and_after_are_of_one_transaction(deployed, kit) -> None:
    """One deploy removes a message from a rule and then deletes it; if the deploy has an error, nothing is changed."""
    files = {
        "package.xml": kit.manifest({"WorkflowOutboundMessage": ["Contact.To_Relay"]}),
        "workflows/Contact.workflow": kit.wrap("Workflow", kit.message("To_Relay", "Id")),
        "destructiveChangesPost.xml": kit.manifest({"CustomField": ["Contact.External_Id__c"]}, version=""),
    }
    before = deployed.snapshot()
    wrong = files | {"destructiveChangesPre.xml": kit.manifest({"Flow": ["To_Relay"]}, version="")}
    assert deployed.deploy(wrong).problems == [NO_ACCESS]
    assert deployed.snapshot() == before
    result = deployed.deploy(files)
    assert result.status == "Succeeded", result.failures
    assert result.of("Contact.External_Id__c")["deleted"] == "true"


def test_an_assigned_permission_set_is_not_deleted(deployed, kit) -> None:
    """The permission set can be deleted once its assignments are deleted."""
    _, permission_sets = deployed.rest(
        "GET", "/services/data/v62.0/query?q=SELECT+Id+FROM+PermissionSet+WHERE+Name='Integration'"
    )
    _, users = deployed.rest("GET", f"/services/data/v62.0/query?q=SELECT+Id+FROM+User+WHERE+Username='{kit.user}'")
    body = {"AssigneeId": users["records"][0]["Id"], "PermissionSetId": permission_sets["records"][0]["Id"]}
    status, _ = deployed.rest("POST", "/services/data/v62.0/sobjects/PermissionSetAssignment", body)
    assert status == 201
    result = destroy(deployed, kit, {"PermissionSet": ["Integration"]})
    assert result.problems == ["The permission set Integration can't be deleted: it is assigned to 1 user(s)"]


def test_an_object_is_deleted_with_its_fields_and_rights(org, kit) -> None:
    """The fields of a deleted object and the permissions on it are deleted as well."""
    files = {
        "package.xml": kit.manifest({"CustomObject": ["Visit__c"], "PermissionSet": ["Visits"]}),
        "objects/Visit__c.object": kit.wrap(
            "CustomObject",
            "<deploymentStatus>Deployed</deploymentStatus>",
            kit.field("Note__c"),
            "<label>Visit</label>",
            "<nameField><label>Name</label><type>Text</type></nameField>",
            "<pluralLabel>Visits</pluralLabel>",
            "<sharingModel>ReadWrite</sharingModel>",
        ),
        "permissionsets/Visits.permissionset": kit.permission_set(
            kit.can("Visit__c.Note__c"), kit.rights("Visit__c", "allowRead"), label="Visits"
        ),
    }
    assert org.deploy(files).status == "Succeeded"
    assert destroy(org, kit, {"CustomObject": ["Visit__c"]}).status == "Succeeded"
    (component,) = read(org.retrieve({"PermissionSet": ["Visits"]})["files"])
    assert "fieldPermissions" not in component.body or component.body["fieldPermissions"] == {}
    assert org.retrieve({"CustomField": ["Visit__c.Note__c"]})["messages"]
