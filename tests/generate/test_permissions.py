"""The permissions of the integration user and of viewers: exactly those that the mappings need, or those of the help page."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sfcode.mapping.permissions import ObjectPermission, add_required
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema
from tests.generate.projects import CONTACT, OFFLINE, ONLINE, body, changed, desired, settings

ACCOUNT: dict[str, Any] = {
    "object": "Account",
    "match": "group",
    "user_id": {"field": "Appcues_Group_Id__c", "from": "Account_Number__c"},
    "to_appcues": {"attributes": {"industry": {"field": "Industry"}}},
}
DIRECTIONS = {
    "both": CONTACT,
    "to_appcues": changed(CONTACT, direction="to_appcues", to_salesforce=None),
    "to_salesforce": changed(CONTACT, direction="to_salesforce", to_appcues=None),
    "activities only": changed(CONTACT, direction="to_salesforce", to_appcues=None, nps__in__to_salesforce={}),
    "connector": changed(CONTACT, delivery="connector"),
    "account": ACCOUNT,
}
READ = {"allowRead"}
EDIT = {"allowRead", "allowEdit"}
ALL = {"allowRead", "viewAllRecords"}
MODIFY = {"allowRead", "allowEdit", "allowDelete", "viewAllRecords", "modifyAllRecords"}
EXPECTED_OBJECT = {
    ("both", "sharing"): EDIT,
    ("both", "view_all"): EDIT | ALL,
    ("both", "modify_all"): MODIFY,
    ("to_appcues", "sharing"): READ,
    ("to_appcues", "view_all"): ALL,
    ("to_appcues", "modify_all"): ALL,
    ("to_salesforce", "sharing"): EDIT,
    ("to_salesforce", "view_all"): EDIT | ALL,
    ("to_salesforce", "modify_all"): MODIFY,
    ("activities only", "sharing"): READ,
    ("activities only", "view_all"): ALL,
    ("activities only", "modify_all"): ALL,
    ("connector", "sharing"): EDIT,
    ("connector", "view_all"): EDIT | ALL,
    ("connector", "modify_all"): MODIFY,
    ("account", "sharing"): READ,
    ("account", "view_all"): ALL,
    ("account", "modify_all"): ALL,
}
_READ = {"Contact.Appcues_User_Id__c": False, "Contact.Product_User_Id__c": False}
_SENT = {"Contact.Title": False, "Contact.Plan__c": False}
_NPS = {"Contact.Appcues_NPS_Score__c": True, "Contact.Appcues_NPS_Feedback__c": True}
_WRITTEN = {"{kind}.Description": True, "{kind}.WhoId": True}
_EVENT_ID = {"{kind}.Appcues_Event_Id__c": True}
EXPECTED_FIELDS: dict[str, dict[str, bool]] = {
    "both": {**_READ, **_SENT, **_NPS, **_WRITTEN, **_EVENT_ID},
    "to_appcues": {**_READ, **_SENT},
    "to_salesforce": {**_READ, **_NPS, **_WRITTEN, **_EVENT_ID},
    "activities only": {**_READ, **_WRITTEN, **_EVENT_ID},
    "connector": {**_READ, **_SENT, **_NPS, **_WRITTEN},
    "account": {"Account.Appcues_Group_Id__c": False, "Account.Account_Number__c": False, "Account.Industry": False},
}


def user(**changes: Any) -> dict[str, Any]:
    base = {"username": "appcues.integration@example.com", "email": "admin@example.com", **changes}
    return settings(integration_user=base)


def integration(mapping: dict[str, Any], config: dict[str, Any], schema: OrgSchema = OFFLINE) -> dict[str, Any]:
    return body(desired({"m": mapping}, config, schema), "PermissionSet:Appcues_Integration")


def flags(permissions: dict[str, Any], name: str) -> set[str]:
    return {flag for flag, granted in permissions["objectPermissions"][name].items() if granted}


def fields(permissions: dict[str, Any]) -> dict[str, bool]:
    return {name: permission["editable"] for name, permission in permissions["fieldPermissions"].items()}


@pytest.mark.parametrize("activities_as", ["event", "task"])
@pytest.mark.parametrize("record_access", ["sharing", "view_all", "modify_all"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_least_privilege_is_exactly_this_list(direction: str, record_access: str, activities_as: str) -> None:
    """The whole permission set is compared, so that an additional entry fails the test as much as a missing one."""
    config = user(record_access=record_access)
    config["relay"]["activities_as"] = activities_as
    body = integration(DIRECTIONS[direction], config)
    # Appcues' own connector always writes Events, whatever the setting of the relay is.
    kind = "Task" if activities_as == "task" and direction != "connector" else "Event"
    expected = {name.format(kind=kind): editable for name, editable in EXPECTED_FIELDS[direction].items()}
    rights = {"ApiEnabled"}
    if any(name.startswith(kind) for name in expected):
        rights |= {"ActivitiesAccess", f"Edit{kind}"}
    object_name = "Account" if direction == "account" else "Contact"
    assert set(body["objectPermissions"]) == {object_name}
    assert flags(body, object_name) == EXPECTED_OBJECT[direction, record_access]
    assert fields(body) == expected
    assert set(body["userPermissions"]) == rights
    assert set(body) == {
        "description",
        "label",
        "hasActivationRequired",
        "fieldPermissions",
        "objectPermissions",
        "userPermissions",
    }


@pytest.mark.parametrize("record_access", ["sharing", "view_all", "modify_all"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_documented_grants_what_the_help_page_clicks(direction: str, record_access: str) -> None:
    """The set has Modify All and what it requires, Create, every Event field with field permissions, and Edit Events."""
    body = integration(DIRECTIONS[direction], user(access="documented", record_access=record_access))
    object_name = "Account" if direction == "account" else "Contact"
    assert flags(body, object_name) == MODIFY | {"allowCreate"}
    every = {f"Event.{name}" for name in ("Description", "IsAllDayEvent", "Location", "Type", "WhatId", "WhoId")}
    assert {name for name, editable in fields(body).items() if editable} >= every
    expected = {"ApiEnabled", "ActivitiesAccess", "EditEvent"}
    if direction == "connector":
        expected |= {"CustomizeApplication", "ManageCustomPermissions", "ViewSetup"}
    assert set(body["userPermissions"]) == expected


def test_documented_access_to_tasks_covers_the_fields_of_tasks() -> None:
    config = user(access="documented")
    config["relay"]["activities_as"] = "task"
    body = integration(CONTACT, config)
    assert {name for name in fields(body) if name.startswith(("Event.", "Task."))} == {
        "Task.Appcues_Event_Id__c",
        "Task.Description",
        "Task.Type",
        "Task.WhatId",
        "Task.WhoId",
    }
    assert set(body["userPermissions"]) == {"ApiEnabled", "ActivitiesAccess", "EditTask"}


def test_fields_without_field_permissions_are_left_out() -> None:
    """Salesforce refuses a permission set with a field that is required or visible to everybody."""
    attributes = {
        "id": {"field": "Id"},
        "last": {"field": "LastName"},
        "stamp": {"field": "SystemModstamp"},
        "first": {"field": "FirstName"},
        "tier": {"field": "Tier__c"},
    }
    body = integration(changed(DIRECTIONS["to_appcues"], attributes__in__to_appcues=attributes), user(), ONLINE)
    assert set(fields(body)) == {*_READ, "Contact.FirstName"}


def test_access_to_part_of_an_address_is_granted_by_the_address() -> None:
    """Salesforce has one field permission for the whole address, and none for its city."""
    attributes = {"city": {"field": "MailingCity"}, "street": {"field": "MailingStreet"}}
    body = integration(changed(DIRECTIONS["to_appcues"], attributes__in__to_appcues=attributes), user())
    assert set(fields(body)) == {*_READ, "Contact.MailingAddress"}


def test_a_formula_field_is_never_editable() -> None:
    body = integration(CONTACT, user(access="documented"))
    assert fields(body)["Contact.Appcues_User_Id__c"] is False


def test_event_fields_follow_the_describe_of_the_org() -> None:
    """An org may have no field permissions for a standard field; then none is requested."""
    event = OFFLINE.objects["Event"]
    locked = {**event.fields, "WhoId": Field("WhoId", "reference", permissionable=False)}
    schema = OrgSchema({**OFFLINE.objects, "Event": ObjectSchema("Event", "Event", locked)})
    assert "Event.WhoId" not in fields(integration(CONTACT, user(), schema))


def test_activities_are_granted_if_the_schema_does_not_contain_event() -> None:
    """Permissions on an object outside the schema follow Salesforce's documentation."""
    schema = OrgSchema({"Contact": OFFLINE.objects["Contact"]})
    assert fields(integration(CONTACT, user(), schema)) == fields(integration(CONTACT, user()))


def test_rights_of_several_mappings_add_up() -> None:
    """If two mappings use one object, the mapping that writes determines the permissions, in any order."""
    reads = changed(DIRECTIONS["to_appcues"], user_id={"field": "Legacy_Id__c"})
    writes = DIRECTIONS["to_salesforce"]
    for first, second in ((reads, writes), (writes, reads)):
        component_body = body(desired({"a": first, "b": second}), "PermissionSet:Appcues_Integration")
        assert flags(component_body, "Contact") == EDIT
        assert set(fields(component_body)) >= {"Contact.Legacy_Id__c", "Contact.Appcues_NPS_Score__c"}


def test_activities_of_other_objects_need_the_field_what_id() -> None:
    mapping = {**ACCOUNT, "to_salesforce": {"activities": ["goal_reached"]}}
    granted_fields = fields(integration(mapping, user()))
    assert "Event.WhatId" in granted_fields
    assert "Event.WhoId" not in granted_fields


@pytest.mark.parametrize("record_access", ["sharing", "view_all", "modify_all"])
@pytest.mark.parametrize("access", ["least_privilege", "documented"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_no_permission_set_has_a_right_without_those_it_depends_on(
    direction: str, access: str, record_access: str
) -> None:
    """Salesforce refuses, for example, Edit without Read, or Modify All without Delete."""
    body = integration(DIRECTIONS[direction], user(access=access, record_access=record_access))
    needs = {
        "allowCreate": {"allowRead"},
        "allowEdit": {"allowRead"},
        "allowDelete": {"allowRead", "allowEdit"},
        "viewAllRecords": {"allowRead"},
        "modifyAllRecords": {"allowRead", "allowEdit", "allowDelete", "viewAllRecords"},
    }
    for name in body["objectPermissions"]:
        granted = flags(body, name)
        assert all(needs.get(flag, set()) <= granted for flag in granted)


@pytest.mark.parametrize("requested_flags", list(itertools.product([False, True], repeat=6)))
def test_rights_are_completed_but_never_to_create(requested_flags: tuple[bool, ...]) -> None:
    """All 64 combinations are tested; Modify All does not add Create."""
    before = ObjectPermission("Contact", *requested_flags)
    after = add_required(before)
    assert after.create == before.create
    assert add_required(after) == after
    assert after.read or not any((after.create, after.edit, after.delete, after.view_all, after.modify_all))
    assert after.delete or not after.modify_all


def test_the_permission_sets_describe_their_project_and_have_no_license() -> None:
    """A permission set with a license could be assigned only to users with this license."""
    components = desired()
    for name, label in (("Appcues_Integration", "Appcues Integration"), ("Appcues_Viewer", "Appcues Viewer")):
        component_body = body(components, f"PermissionSet:{name}")
        assert component_body["label"] == label
        assert component_body["description"].startswith("Managed by sfcode: do not edit by hand")
        assert len(component_body["description"]) <= 255
        assert "license" not in component_body


def test_the_user_may_never_send_outbound_messages() -> None:
    """The user's own writes would otherwise be sent back as messages."""
    for access in ("least_privilege", "documented"):
        rights = integration(CONTACT, user(access=access))["userPermissions"]
        assert not [name for name in rights if "Outbound" in name]


def test_viewers_read_what_sfcode_creates_and_nothing_else() -> None:
    component_body = body(desired(), "PermissionSet:Appcues_Viewer")
    assert fields(component_body) == {
        "Contact.Appcues_NPS_Feedback__c": False,
        "Contact.Appcues_NPS_Score__c": False,
        "Contact.Appcues_User_Id__c": False,
        "Event.Appcues_Event_Id__c": False,
    }
    assert "objectPermissions" not in component_body
    assert "userPermissions" not in component_body


def test_there_is_no_viewer_set_when_nothing_is_created() -> None:
    mapping = changed(DIRECTIONS["to_appcues"], user_id={"field": "Legacy_Id__c"})
    assert "PermissionSet:Appcues_Viewer" not in desired({"contact": mapping})
