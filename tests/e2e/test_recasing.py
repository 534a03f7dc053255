"""Names in another case are the same names: nothing is deleted, and the plan after the apply is empty."""

from __future__ import annotations

from sfcode.local import serve
from tests.e2e.org import opened

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


def test_profile_license_and_accepted_rights_in_another_case_are_the_same(visible):
    settings = visible.folder / "config/sfcode.yaml"
    with serve(visible.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        (user,) = client.query("SELECT Id FROM User WHERE Username LIKE 'appcues.integration@%'")
        (rights,) = client.query("SELECT Id FROM PermissionSet WHERE Name = 'People'")
        client.create("PermissionSetAssignment", {"AssigneeId": user["Id"], "PermissionSetId": rights["Id"]})
    visible.edit("sfcode.yaml", "  access: least", "  accepted_rights: [PermissionSet:PEOPLE]\n  access: least")
    text = settings.read_text(encoding="utf-8")
    for name in ("Salesforce Integration", "Minimum Access - API Only Integrations", "SalesforceAPIIntegrationPsl"):
        text = text.replace(f": {name}\n", f": {name.upper()}\n")
    settings.write_text(text, encoding="utf-8")
    assert visible.run("validate").code == 0
    planned = visible.plan()
    assert planned.last_line.startswith("No changes."), planned.out
    assert "also has" not in planned.out


def test_a_hidden_field_of_an_object_in_another_case_is_suggested(applied):
    applied.edit("mappings/contact.yaml", "object: Contact", "object: contact")
    applied.edit("mappings/contact.yaml", "from: Product_User_Id__c", "from: product_user_id__c")
    refused = applied.plan()
    assert (refused.code, "object: contact cannot be mapped; did you mean Contact?" in refused.err) == (1, True)
