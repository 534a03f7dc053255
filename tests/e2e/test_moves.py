"""Renamed components keep their values, assignments and licenses, and a plan shows them as moves."""

from __future__ import annotations

import pytest

from sfcode.apply.execute import Execution
from sfcode.apply.session import make_mark
from sfcode.config import load
from sfcode.errors import Refused
from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from sfcode.org import DeployOptions
from sfcode.plan.planner import make_plan
from tests.apply.scripted import CountingLock
from tests.e2e.org import assign, component, deploy, opened

OLD, NEW = "CustomField:Contact.Appcues_NPS_Score__c", "CustomField:Contact.Score__c"
USER, RENAMED = "appcues.integration@example.com.local", "appcues.sync@example.com.local"
FLOW, MESSAGE = "Flow:Appcues_contact", "WorkflowOutboundMessage:Contact.Appcues_contact"
THEIRS = Component(
    "WorkflowRule",
    "Contact.Theirs",
    {"active": True, "formula": "NOT(ISBLANK(Appcues_NPS_Score__c))", "triggerType": "onCreateOnly"},
)
OBJECT = {
    "deploymentStatus": "Deployed",
    "nameField": {"label": "Name", "type": "Text"},
    "sharingModel": "ReadWrite",
}
MAPPING = "mappings/contact.yaml"
SETTINGS = "sfcode.yaml"


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def query(journey, soql):
    with local_org(journey) as org, opened(org) as client:
        return [{name: value for name, value in row.items() if name != "attributes"} for row in client.query(soql)]


def present(journey, *addresses):
    with local_org(journey) as org:
        return [address for address in addresses if component(org, Address.parse(address)) is not None]


def set_score(journey):
    with local_org(journey) as org, opened(org) as client:
        contact = client.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"]
        client.update("Contact", contact, {"Appcues_NPS_Score__c": 9})


def move_field(journey):
    journey.edit(MAPPING, "Appcues_NPS_Score__c", "Score__c")
    moved = "moved: {fields: {Contact.Appcues_NPS_Score__c: Contact.Score__c}}\n"
    journey.edit(SETTINGS, "name: Appcues\n", f"name: Appcues\n{moved}")
    return moved


def test_a_field_is_renamed_with_its_values_and_back_again(visible):
    set_score(visible)
    moved = move_field(visible)
    planned = visible.plan()
    assert f"# {NEW} will be renamed from Contact.Appcues_NPS_Score__c, and keeps its values" in planned.out
    assert planned.last_line.startswith("Plan: 0 to add, 1 to change, 0 to destroy.")
    result = visible.apply()
    assert result.code == 0, result.err
    assert f"{OLD}: renamed to Contact.Score__c" in result.out
    assert query(visible, "SELECT Score__c FROM Contact WHERE Score__c != NULL") == [{"Score__c": 9.0}]
    assert present(visible, OLD, NEW) == [NEW]
    assert visible.actions() == {}
    visible.edit(SETTINGS, moved, "")
    assert visible.actions() == {}, "the line may go once it has done its work"

    back = visible.run("rollback", "--auto-approve")
    assert back.code == 0, back.err
    assert query(visible, "SELECT Appcues_NPS_Score__c FROM Contact WHERE Appcues_NPS_Score__c != NULL") == [
        {"Appcues_NPS_Score__c": 9.0}
    ]
    visible.edit(MAPPING, "score: {field: Score__c", "score: {field: Appcues_NPS_Score__c")
    assert visible.actions() == {}


def test_an_apply_interrupted_after_a_rename_is_completed_by_the_next(visible):
    set_score(visible)
    move_field(visible)
    with local_org(visible) as org, opened(org) as client:
        client.metadata.rename_metadata("CustomField", OLD.partition(":")[2], NEW.partition(":")[2])
    planned = visible.plan()
    assert planned.code == 0, planned.out + planned.err
    assert visible.apply().code == 0
    assert query(visible, "SELECT Score__c FROM Contact WHERE Score__c != NULL") == [{"Score__c": 9.0}]
    assert visible.actions() == {}


def test_a_rename_of_an_interrupted_apply_is_recognized_with_any_later_config(visible):
    """The state does not contain the new name yet, and the config may be reverted: no component is lost or created twice."""
    set_score(visible)
    moved = move_field(visible)
    secrets = {name: value for name, value in visible.environ.items() if "SECRET" in name}
    project = load(visible.folder / "config", "local")
    with local_org(visible) as org, opened(org) as client:
        result = make_plan(project, client, secrets)
        options = {"origins": (), "mark": make_mark(project, result), "options": DeployOptions(), "report": print}
        with pytest.raises(Refused, match="taken over the lock"):
            Execution(result.plan, client, secrets, lock=CountingLock(holds_for=3), **options).run()
    assert present(visible, OLD, NEW) == [NEW]
    visible.edit(SETTINGS, moved, "")
    assert visible.actions() == {NEW: "update"}, "it is managed, and its label is left to do"
    visible.edit(MAPPING, "score: {field: Score__c", "score: {field: Appcues_NPS_Score__c")
    refused = visible.plan()
    assert f"{NEW} would be deleted with the values that 1 record holds in it" in refused.out


def test_a_renamed_mapping_is_shown_as_a_move_in_every_format(applied):
    folder = applied.folder / "config/mappings"
    (folder / "contact.yaml").rename(folder / "person.yaml")
    text = applied.plan().out
    assert "# Flow:Appcues_contact will be destroyed\n  # (because Flow:Appcues_person replaces it)" in text
    assert f"# (it replaces {MESSAGE})" in text
    document = applied.plan("--format", "json").json
    assert {"from": FLOW, "to": "Flow:Appcues_person", "in_place": False} in document["moves"]
    for format_ in ("markdown", "html"):
        assert "it replaces Flow:Appcues" in applied.plan("--format", format_).out.replace("\\", "")
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_a_renamed_user_keeps_its_license_its_permission_set_and_its_id(applied):
    ids = "SELECT Id FROM User WHERE Username = {}"
    (before,) = query(applied, ids.replace("{}", f"'{USER}'"))
    applied.edit(SETTINGS, "appcues.integration@${user_domain}", "appcues.sync@${user_domain}")
    applied.edit(SETTINGS, "name: Appcues\n", "name: Appcues\nmoved: {user: 'appcues.integration@${user_domain}'}\n")
    planned = applied.plan()
    assert f"# User:{RENAMED} will be renamed from {USER}, and keeps its license and its permission sets" in planned.out
    assert planned.last_line.startswith("Plan: 0 to add, 1 to change, 0 to destroy.")
    result = applied.apply()
    assert result.code == 0, result.err
    assert query(applied, ids.replace("{}", f"'{RENAMED}'")) == [before]
    assert query(
        applied, f"SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE Assignee.Username = '{RENAMED}'"
    )
    assert applied.actions() == {}
    back = applied.run("rollback", "--auto-approve")
    assert back.code == 0, back.err
    assert query(applied, ids.replace("{}", f"'{USER}'")) == [before]


def test_a_new_message_with_a_renamed_user_is_validated_before_the_rename(applied):
    applied.edit(SETTINGS, "appcues.integration@${user_domain}", "appcues.sync@${user_domain}")
    applied.edit(SETTINGS, "name: Appcues\n", "name: Appcues\nmoved: {user: 'appcues.integration@${user_domain}'}\n")
    mappings = applied.folder / "config" / "mappings"
    (mappings / "contact.yaml").rename(mappings / "people.yaml")
    result = applied.apply()
    assert result.code == 0, result.err
    assert applied.actions() == {}
    new = "WorkflowOutboundMessage:Contact.Appcues_people"
    with local_org(applied) as org:
        message = component(org, Address.parse(new))
    assert message is not None
    assert message.body["integrationUser"] == RENAMED


def test_a_renamed_project_keeps_the_assignments_of_its_permission_sets(visible):
    with local_org(visible) as org, opened(org) as client:
        assign(client, "Appcues_Viewer")
    visible.edit(SETTINGS, "name: Appcues\n", "name: Acme\nmoved: {name: Appcues}\n")
    planned = visible.plan()
    assert "# PermissionSet:Acme_Viewer will be renamed from Appcues_Viewer, and keeps its assignments" in planned.out
    assert "# CustomField:Activity.Acme_Event_Id__c will be renamed from Activity.Appcues_Event_Id__c" in planned.out
    result = visible.apply()
    assert result.code == 0, result.err
    soql = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Acme_Viewer'"
    assert len(query(visible, soql)) == 1
    assert visible.actions() == {}


def test_a_refused_rename_is_reported_with_the_orgs_message_and_changes_nothing(visible):
    feedback = "CustomField:Contact.Appcues_NPS_Feedback__c"
    visible.edit(MAPPING, "Appcues_NPS_Score__c", "Score__c")
    visible.edit(MAPPING, "Appcues_NPS_Feedback__c", "Feedback__c")
    moved = "{Contact.Appcues_NPS_Feedback__c: Contact.Feedback__c, Contact.Appcues_NPS_Score__c: Contact.Score__c}"
    visible.edit(SETTINGS, "name: Appcues\n", f"name: Appcues\nmoved: {{fields: {moved}}}\n")
    with local_org(visible) as org:
        deploy(org, THEIRS)
    refused = visible.apply()
    assert refused.code == 1
    assert f"{OLD} cannot be renamed to Contact.Score__c: This custom field is referenced elsewhere" in refused.err
    assert "Nothing was changed." in refused.err
    assert present(visible, OLD, feedback) == [OLD, feedback], "what was renamed before it has its former name again"


def test_a_probably_renamed_field_has_a_hint_how_to_keep_its_values(visible):
    set_score(visible)
    visible.edit(MAPPING, "Appcues_NPS_Score__c", "Score__c")
    refused = visible.plan()
    assert "write `moved: {fields: {Contact.Appcues_NPS_Score__c: Contact.Score__c}}` in sfcode.yaml" in refused.out


def test_an_object_renamed_in_setup_keeps_the_created_fields(journey):
    fields = [
        Component("CustomField", "Visit__c.Uid__c", {"label": "Uid", "type": "Text", "length": 40, "externalId": True}),
        Component("CustomObject", "Visit__c", {**OBJECT, "label": "Visit", "pluralLabel": "Visits"}),
    ]
    with local_org(journey) as org:
        deploy(org, *fields)
    for path in (journey.folder / "config" / "mappings").glob("*.yaml"):
        path.unlink()
    score = "CustomField:Tour__c.Appcues_NPS_Score__c"
    (journey.folder / "config" / "mappings" / "visit.yaml").write_text(
        "object: Visit__c\ndirection: to_salesforce\nuser_id: Uid__c\n"
        "to_salesforce: {nps: {score: {field: Appcues_NPS_Score__c, create: true}}}\n"
    )
    result = journey.apply()
    assert result.code == 0, result.err
    with local_org(journey) as org, opened(org) as client:
        client.metadata.rename_metadata("CustomObject", "Visit__c", "Tour__c")
    journey.edit("mappings/visit.yaml", "Visit__c", "Tour__c")
    refused = journey.apply()
    assert f"{score} is marked as managed by sfcode, and the state does not list it" in refused.err
    adopted = journey.apply("--adopt-managed")
    assert adopted.code == 0, adopted.err
    assert "0 to add, 0 to change, 0 to destroy" in adopted.out
    assert journey.actions() == {}
