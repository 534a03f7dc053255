"""Files and permission sets that also contain components or permissions of others."""

from __future__ import annotations

import json
from dataclasses import replace

from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from tests.e2e.org import component, deploy

SET = Address("PermissionSet", "Appcues_Integration")


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def rule(name):
    body = {"active": True, "formula": "ISCHANGED(Title)", "triggerType": "onAllChanges"}
    return Component("WorkflowRule", f"Contact.{name}", body)


def test_a_plan_counts_unmanaged_components_in_the_files_that_it_writes(applied):
    with local_org(applied) as org:
        message = component(org, Address("WorkflowOutboundMessage", "Contact.Appcues_contact"))
        deploy(org, rule("One"), rule("Two"), Component(message.type, "Contact.Theirs", {**message.body, "name": "T"}))
    quiet = applied.plan()
    assert "not changed" not in quiet.out, "the plan writes to no file"
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert "1 message and 2 rules in Contact.workflow are not managed by sfcode, and not changed." in applied.plan().out
    document = json.loads(applied.plan("--format", "json").out)
    counted = {entry["container"]: entry["counts"] for entry in document["preserved"]}
    assert counted["Workflow:Contact"] == {"WorkflowOutboundMessage": 1, "WorkflowRule": 2}
    assert "2 rules in Contact.workflow" in applied.plan("--format", "markdown").out
    assert "2 rules in Contact.workflow" in applied.plan("--format", "html").out
    assert applied.apply().code == 0
    with local_org(applied) as org:
        for address in (
            "WorkflowRule:Contact.One",
            "WorkflowRule:Contact.Two",
            "WorkflowOutboundMessage:Contact.Theirs",
        ):
            assert component(org, Address.parse(address)), address


def test_unmanaged_fields_are_counted_if_a_field_is_written(applied):
    applied.edit("mappings/contact.yaml", "Appcues_NPS_Score__c", "Appcues_Score__c")
    output = applied.plan().out
    assert "fields in Contact.object are not managed by sfcode, and not changed." in output
    assert "Lead.object" not in output


def test_rights_added_by_hand_to_the_permission_set_are_shown_as_revoked(applied):
    with local_org(applied) as org:
        stored_component = component(org, SET)
        fields = {**stored_component.body["fieldPermissions"], "Contact.Phone": {"editable": True, "readable": True}}
        rights = {**stored_component.body["userPermissions"], "ViewSetup": {"enabled": True}}
        deploy(
            org,
            replace(
                stored_component, body={**stored_component.body, "fieldPermissions": fields, "userPermissions": rights}
            ),
        )
    assert applied.actions() == {str(SET): "update"}
    output = applied.plan().out
    assert '- "Contact.Phone" = { editable = true, readable = true }  # changed in the org' in output
    assert "- ViewSetup = { enabled = true }  # changed in the org" in output
    assert applied.apply().code == 0
    with local_org(applied) as org:
        restored_set = component(org, SET)
    assert "Contact.Phone" not in restored_set.body["fieldPermissions"]
    assert "ViewSetup" not in restored_set.body["userPermissions"]
