"""Activities as records of the project's own object: the object, its fields, and the permissions on them."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.mapping.desired import Desired
from sfcode.metadata.schema import validate_strictly
from sfcode.metadata.xml import to_bytes, to_element
from tests.generate.projects import CONTACT, OFFLINE, body, by_address, changed, project, settings

OBJECT = "Appcues_Activity__c"
RECEIVING = changed(CONTACT, direction="to_salesforce", to_appcues=None)
ACCOUNT = changed(RECEIVING, object="Account", match="group", user_id={"field": "Key__c"})


def generated(**mappings: dict[str, Any]) -> Desired:
    config = settings()
    config["relay"]["activities_as"] = "custom_object"
    return generate(project(mappings or {"contact": CONTACT}, config), OFFLINE)


def names(result: Desired) -> set[str]:
    return {str(component.address) for component in result.components}


def test_the_object_has_a_field_for_everything_that_is_kept_and_a_lookup_for_every_mapped_object() -> None:
    result = generated(contact=CONTACT, account=ACCOUNT, workshop=changed(RECEIVING, object="ns__Workshop__c"))
    assert {name for name in names(result) if OBJECT in name} == {
        f"CustomObject:{OBJECT}",
        f"CustomField:{OBJECT}.Appcues_Subject__c",
        f"CustomField:{OBJECT}.Appcues_Comment__c",
        f"CustomField:{OBJECT}.Appcues_Event__c",
        f"CustomField:{OBJECT}.Appcues_Time__c",
        f"CustomField:{OBJECT}.Appcues_Event_Id__c",
        f"CustomField:{OBJECT}.Contact__c",
        f"CustomField:{OBJECT}.Account__c",
        f"CustomField:{OBJECT}.ns_Workshop__c",
    }
    assert not any("Activity.Appcues" in name for name in names(result)), "the calendar stays as it is"
    for component in result.components:
        assert validate_strictly(to_bytes(to_element(component))) == ()


def test_each_field_of_the_activity_object_has_its_type() -> None:
    components = by_address(generated())
    of = {name: body(components, f"CustomField:{OBJECT}.{name}__c") for name in ("Appcues_Event_Id", "Contact")}
    assert (
        of["Appcues_Event_Id"].items()
        >= {
            "externalId": True,
            "unique": True,
            "caseSensitive": True,
            "length": 255,
            "type": "Text",
        }.items()
    )
    assert (
        of["Contact"].items()
        >= {
            "type": "Lookup",
            "referenceTo": "Contact",
            "relationshipName": "Appcues_Activity",
            "deleteConstraint": "SetNull",
            "required": False,
        }.items()
    )
    component_body = body(components, f"CustomObject:{OBJECT}")
    assert (component_body["label"], component_body["pluralLabel"], component_body["sharingModel"]) == (
        "Appcues Activity",
        "Appcues Activities",
        "Read",
    )


def test_the_integration_user_writes_it_and_has_no_right_on_events_or_tasks() -> None:
    rights = body(by_address(generated()), "PermissionSet:Appcues_Integration")
    assert {name for name, granted in rights["objectPermissions"][OBJECT].items() if granted} == {
        "allowCreate",
        "allowEdit",
        "allowRead",
    }
    editable = {
        name: field["editable"] for name, field in rights["fieldPermissions"].items() if name.startswith(OBJECT)
    }
    fields = ("Subject", "Comment", "Event", "Time", "Event_Id")
    assert editable == {f"{OBJECT}.Appcues_{name}__c": True for name in fields} | {f"{OBJECT}.Contact__c": True}
    assert set(rights["userPermissions"]) == {"ApiEnabled"}
    assert not any(name.startswith(("Event.", "Task.")) for name in rights["fieldPermissions"])


def test_the_viewers_set_grants_read_on_activities() -> None:
    rights = body(by_address(generated()), "PermissionSet:Appcues_Viewer")
    assert {name for name, granted in rights["objectPermissions"][OBJECT].items() if granted} == {"allowRead"}
    assert [name for name, field in rights["fieldPermissions"].items() if field["editable"]] == []
    assert len([name for name in rights["fieldPermissions"] if name.startswith(OBJECT)]) == 6


def test_without_activities_or_with_the_connector_there_is_no_activity_object() -> None:
    silent = changed(CONTACT, direction="to_appcues", to_salesforce=None)
    connected = changed(CONTACT, object="Lead", delivery="connector")
    result = generated(contact=silent, lead=connected)
    assert not any(OBJECT in name for name in names(result))
    rights = body(by_address(result), "PermissionSet:Appcues_Integration")
    assert "EditEvent" in rights["userPermissions"], "the connector writes Events"


def test_documented_access_still_grants_what_the_help_page_clicks() -> None:
    config = settings()
    config["relay"]["activities_as"] = "custom_object"
    config["integration_user"]["access"] = "documented"
    result = generate(project({"contact": CONTACT}, config), OFFLINE)
    rights = body(by_address(result), "PermissionSet:Appcues_Integration")
    assert {"EditEvent", "ActivitiesAccess"} <= set(rights["userPermissions"])
    assert OBJECT in rights["objectPermissions"]


@pytest.mark.parametrize(
    ("mappings", "message"),
    [
        (
            {"a": changed(RECEIVING, object="ns__Seat__c"), "b": changed(RECEIVING, object="ns_Seat__c")},
            (
                "object: activities need the lookup ns_Seat__c to ns_Seat__c, and ns_Seat__c is ns__Seat__c already; "
                "set `activities_as` to `event` or `task`"
            ),
        ),
        (
            {"a": changed(RECEIVING, object="Appcues_Subject__c")},
            (
                "object: activities need the lookup Appcues_Subject__c to Appcues_Subject__c, and Appcues_Subject__c is "
                "another field already; set `activities_as` to `event` or `task`"
            ),
        ),
        (
            {"a": changed(RECEIVING, object=f"namespace__{'W' * 40}__c")},
            (
                f"object: activities need the lookup namespace_{'W' * 40}__c to namespace__{'W' * 40}__c, which is longer "
                "than Salesforce allows; set `activities_as` to `event` or `task`"
            ),
        ),
    ],
)
def test_a_lookup_that_cannot_be_made_is_a_problem_of_the_config(mappings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        generated(**mappings)
    assert [str(problem).partition(": ")[2] for problem in caught.value.problems] == [message]
