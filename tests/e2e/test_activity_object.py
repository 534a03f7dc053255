"""The object for activities: its creation from the config, its changes, and its removal."""

from __future__ import annotations

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.journey import Journey
from tests.e2e.org import assign, component, opened, show_fields

OBJECT = Address("CustomObject", "Appcues_Activity__c")


def test_the_activity_object_is_created_unchanged_by_a_second_apply_and_deleted(journey: Journey) -> None:
    journey.edit("sfcode.yaml", "activities_as: event", "activities_as: custom_object")
    result = journey.apply()
    assert result.code == 0, result.err
    assert journey.plan().last_line.startswith("No changes.")
    state = journey.folder / ".sfcode" / "local-org"
    with serve(state) as org:
        stored_component = component(org, OBJECT)
        assert stored_component is not None
        assert stored_component.body["compactLayoutAssignment"] == "SYSTEM", "an org writes out more than it was sent"
        with opened(org) as client:
            assign(client, "Appcues_Viewer")
            contact = client.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"]
            assert "Appcues_Activity__c" in client.describe(["Appcues_Activity__c"]).objects
            assert contact.startswith("003")
    journey.edit("sfcode.yaml", "activities_as: custom_object", "activities_as: event")
    assert journey.actions()["CustomObject:Appcues_Activity__c"] == "delete"
    back = journey.apply()
    assert back.code == 0, back.err
    assert journey.plan().last_line.startswith("No changes.")
    with serve(state) as org:
        assert component(org, OBJECT) is None


def test_an_object_with_records_is_not_deleted_without_an_option(journey: Journey) -> None:
    journey.edit("sfcode.yaml", "activities_as: event", "activities_as: custom_object")
    assert journey.apply().code == 0
    with serve(journey.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        client.create("Appcues_Activity__c", {})
    journey.edit("sfcode.yaml", "activities_as: custom_object", "activities_as: event")
    refused = journey.apply()
    assert refused.code == 1
    field = "CustomField:Appcues_Activity__c.Appcues_Event_Id__c"
    assert f"--allow-delete {field}" in refused.out + refused.err


def test_the_object_takes_the_name_of_the_project_with_its_records_and_gives_it_back(journey: Journey) -> None:
    journey.edit("sfcode.yaml", "activities_as: event", "activities_as: custom_object")
    assert journey.apply().code == 0
    state = journey.folder / ".sfcode" / "local-org"
    with serve(state) as org, opened(org) as client:
        show_fields(org)
        client.create("Appcues_Activity__c", {"Appcues_Subject__c": "Done"})
    journey.edit("sfcode.yaml", "name: Appcues\n", "name: Acme\nmoved: {name: Appcues}\n")
    planned = journey.plan()
    renamed = (
        "# CustomObject:Acme_Activity__c will be renamed from Appcues_Activity__c, and keeps its fields and records"
    )
    assert renamed in planned.out
    assert journey.apply().code == 0
    assert journey.actions() == {}
    with serve(state) as org, opened(org) as client:
        (row,) = client.query("SELECT Acme_Subject__c FROM Acme_Activity__c")
        assert row["Acme_Subject__c"] == "Done"
    assert journey.run("rollback", "--auto-approve").code == 0
    with serve(state) as org, opened(org) as client:
        assert client.query("SELECT Appcues_Subject__c FROM Appcues_Activity__c")[0]["Appcues_Subject__c"] == "Done"
