"""Names in another case are the same names: nothing is deleted, and the plan after the apply is empty."""

from __future__ import annotations

FIELD = "CustomField:Contact.Appcues_Nps_Score__c"


def test_a_field_in_another_case_is_updated_in_place(applied):
    applied.edit("mappings/contact.yaml", "Appcues_NPS_Score__c", "Appcues_Nps_Score__c")
    assert applied.actions() == {FIELD: "update"}  # the label is derived from the name
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_a_mapping_file_in_another_case_keeps_its_flow_and_its_message(applied):
    mappings = applied.folder / "config" / "mappings"
    (mappings / "contact.yaml").rename(mappings / "Contact.yaml")
    assert applied.actions() == {
        "Flow:Appcues_Contact": "update",
        "WorkflowOutboundMessage:Contact.Appcues_Contact": "update",
    }
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_an_option_names_an_address_in_any_case(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    limited = applied.plan("--target", "WorkflowOutboundMessage:contact.appcues_contact")
    assert limited.last_line == "Plan: 0 to add, 1 to change, 0 to destroy."


def test_a_project_and_its_user_in_another_case_keep_everything(applied):
    applied.edit("sfcode.yaml", "name: Appcues\n", "name: APPCUES\n")
    applied.edit("sfcode.yaml", "username: appcues.integration@", "username: Appcues.Integration@")
    assert set(applied.actions().values()) <= {"update"}
    result = applied.apply()
    assert result.code == 0, result.err
    assert applied.actions() == {}
    assert applied.plan("--refresh-only").out.startswith("No drift.")
    assert "also has" not in applied.plan().out, "its permission set is the project's own in any case"
    down = applied.run("destroy", "--auto-approve")
    assert down.code == 0, down.err
    assert applied.run("state", "list").out == "sfcode manages nothing in this org.\n"
