"""The main workflow: from YAML to a deployed org, and to a plan without changes."""

from __future__ import annotations

import json
import re

from sfcode.local import serve
from tests.e2e.journey import SECRET

CONTACT_PARTS = {
    "WorkflowOutboundMessage:Contact.Appcues_contact",
    "Flow:Appcues_contact",
    "PermissionSet:Appcues_Integration",
}


def test_plan_apply_plan_ends_with_no_changes(journey):
    first = journey.plan("--detailed-exitcode")
    assert first.code == 2, first.err
    assert first.last_line.endswith("0 to change, 0 to destroy.")
    applied = journey.apply()
    assert applied.code == 0, applied.err
    assert "Apply complete!" in applied.out
    second = journey.plan("--detailed-exitcode")
    assert second.code == 0, second.out
    assert second.last_line.startswith("No changes.")
    assert journey.apply().last_line.startswith("No changes.")


def test_plan_changes_nothing_in_the_org(journey):
    first = json.loads(journey.plan("--format", "json").out)
    second = json.loads(journey.plan("--format", "json").out)
    assert first["resource_changes"] == second["resource_changes"]
    assert first["observed"] == second["observed"]


def test_user_license_and_assignment_are_in_the_plan_and_in_the_org(applied):
    document = applied.run("plan", "--format", "json").json
    kinds = {change["type"] for change in document["resource_changes"]}
    assert {"User", "PermissionSetLicenseAssign", "PermissionSetAssignment"} <= kinds
    assert document["summary"] == {"create": 0, "update": 0, "delete": 0}


def test_a_removed_attribute_leaves_message_condition_and_access_together(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert applied.actions() == dict.fromkeys(CONTACT_PARTS, "update")
    output = applied.plan().out
    assert '- "Plan__c",' in output
    assert '"Contact.Plan__c"' in output
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_the_readme_shows_parts_of_a_real_plan(applied, root):
    (excerpt,) = re.findall(r"^```text\n(.*?)^```$", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    applied.edit("mappings/contact.yaml", "    department: Department\n", "")
    output = applied.plan().out
    for part in excerpt.split("...\n"):
        assert part in output


def test_an_added_attribute_extends_message_condition_and_access_together(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "    plan: Plan__c\n    source: LeadSource\n")
    assert applied.actions() == dict.fromkeys(CONTACT_PARTS, "update")
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_a_removed_mapping_deletes_its_components_and_its_flow(visible):
    (visible.folder / "config/mappings/lead.yaml").unlink()
    actions = visible.actions()
    deleted = {address for address, action in actions.items() if action == "delete"}
    assert {"Flow:Appcues_lead", "WorkflowOutboundMessage:Lead.Appcues_lead"} <= deleted
    assert {address.rpartition(".")[0] for address in deleted if address.startswith("CustomField:")} == {
        "CustomField:Lead"
    }
    result = visible.apply()
    assert result.code == 0, result.err
    assert "Flow:Appcues_lead: deactivated, 1 version deleted" in result.out
    assert visible.actions() == {}


def test_the_steps_in_appcues_are_printed_with_the_projects_values(journey):
    result = journey.apply()
    assert "Left to do in Appcues:" in result.out
    assert "/webhooks/appcues/<value of SFCODE_RELAY_WEBHOOK_SECRET>" in result.out
    assert "appcues:nps_score" in result.out
    assert "must equal Contact.Appcues_User_Id__c" in result.out


def test_apply_reverts_a_manual_change_and_nothing_else(applied):
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        from tests.e2e.org import deploy_field_label

        deploy_field_label(org, "Contact.Appcues_NPS_Score__c", "Somebody was here")
    assert applied.actions() == {"CustomField:Contact.Appcues_NPS_Score__c": "update"}
    output = applied.plan().out
    assert '~ label = "Somebody was here" -> ' in output
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_no_output_file_or_log_contains_the_secret(journey):
    printed = []
    for words in (
        ["plan", "--out", "plan.json"],
        ["show", "plan.json"],
        ["show", "plan.json", "--format", "json"],
        ["show", "plan.json", "--format", "markdown"],
        ["show", "plan.json", "--format", "html"],
        ["--json", "show", "plan.json"],
        ["render", "--out", "mdapi"],
        ["render", "--out", "source", "--layout", "source"],
        ["--verbose", "apply", "plan.json"],
        ["plan", "--format", "json"],
        ["validate"],
    ):
        result = journey.run(*words)
        assert result.code == 0, (words, result.err)
        printed.append(result.out + result.err)
    journey.environ = {**journey.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "another-" + SECRET[::-1]}
    rotated = journey.plan()
    printed.append(rotated.out + rotated.err)
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in rotated.out, "a rotated secret is a change of both messages"
    assert not [text for text in printed if SECRET in text or SECRET[::-1] in text]
    # The local org stores the endpoint with its secret, like any org. No other file may contain the secret.
    paths = [path for path in journey.folder.rglob("*") if path.is_file() and "local-org" not in path.parts]
    assert paths
    assert not [path for path in paths if SECRET.encode() in path.read_bytes()]
