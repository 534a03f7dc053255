"""The exact bodies of one mapping, and their changes when the mapping changes."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.mapping.resolved import message_version
from sfcode.metadata.objects import standard
from tests.generate.projects import CONTACT, OFFLINE, ONLINE, USERNAME, body, changed, desired, project, settings

ACCOUNT: dict[str, Any] = {
    "object": "Account",
    "match": "group",
    "user_id": {"field": "Appcues_Group_Id__c", "from": "Account_Number__c"},
    "to_appcues": {"attributes": {"industry": {"field": "Industry"}}},
}
COMPANY: dict[str, Any] = {
    "object": "Tenant__c",
    "user_id": {"field": "Key__c"},
    "to_appcues": {"attributes": {"title": {"field": "Name"}, "seats": {"field": "Seats__c"}}},
    "to_salesforce": {"activities": ["goal_reached"]},
}


def test_one_mapping_generates_these_addresses_and_no_others() -> None:
    assert sorted(desired()) == [
        "CustomField:Activity.Appcues_Event_Id__c",
        "CustomField:Contact.Appcues_NPS_Feedback__c",
        "CustomField:Contact.Appcues_NPS_Score__c",
        "CustomField:Contact.Appcues_User_Id__c",
        "Flow:Appcues_contact",
        "PermissionSet:Appcues_Integration",
        "PermissionSet:Appcues_Viewer",
        f"PermissionSetAssignment:Appcues_Integration/{USERNAME}",
        f"PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{USERNAME}",
        f"User:{USERNAME}",
        "WorkflowOutboundMessage:Contact.Appcues_contact",
    ]


def test_generation_is_repeatable_and_sorted() -> None:
    """Two runs give equal results, with components and records sorted by address."""
    first, second = (generate(project(), OFFLINE) for _ in range(2))
    assert first == second
    for part in (first.components, first.records):
        assert list(part) == sorted(part, key=lambda component: component.address)


def test_a_numeric_id_becomes_a_text_formula_that_keeps_blank_blank() -> None:
    """With BlankAsZero, TEXT of a blank number would be "0": all records without a user ID would share this one."""
    assert body(desired(), "CustomField:Contact.Appcues_User_Id__c") == {
        "description": "Managed by sfcode: do not edit by hand. "
        "The Appcues user id: Product_User_Id__c as text, blank where it is blank.",
        "externalId": False,
        "formula": 'IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))',
        "formulaTreatBlanksAs": "BlankAsBlank",
        "label": "Appcues User Id",
        "required": False,
        "type": "Text",
        "unique": False,
    }


def test_nps_answers_get_a_two_digit_number_and_a_long_text() -> None:
    components = desired()
    score = body(components, "CustomField:Contact.Appcues_NPS_Score__c")
    assert (score["type"], score["precision"], score["scale"], score["label"]) == ("Number", 2, 0, "Appcues NPS Score")
    feedback = body(components, "CustomField:Contact.Appcues_NPS_Feedback__c")
    assert (feedback["type"], feedback["length"], feedback["visibleLines"]) == ("LongTextArea", 32768, 5)


def test_nps_fields_that_exist_are_not_generated() -> None:
    mapping = changed(
        CONTACT, nps__in__to_salesforce={"score": {"field": "Score__c"}, "feedback": {"field": "Said__c"}}
    )
    assert not [address for address in desired({"contact": mapping}) if "Score__c" in address or "Said__c" in address]


def test_activities_are_recognized_by_a_case_sensitive_external_id() -> None:
    """IDs that differ only in case are different events; without caseSensitive, the second one would be refused."""
    field = body(desired(), "CustomField:Activity.Appcues_Event_Id__c")
    assert {key: field[key] for key in ("type", "length", "externalId", "unique", "caseSensitive")} == {
        "type": "Text",
        "length": 255,
        "externalId": True,
        "unique": True,
        "caseSensitive": True,
    }


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (CONTACT, True),
        (changed(CONTACT, activities__in__to_salesforce=[]), False),
        (changed(CONTACT, activities__in__to_salesforce=[], click_to_track__in__to_salesforce=["Clicked"]), True),
        (changed(CONTACT, direction="to_appcues", to_salesforce=None), False),
        (changed(CONTACT, delivery="connector"), False),
    ],
    ids=["activities", "none", "clicks only", "to_appcues", "connector"],
)
def test_the_event_id_field_is_there_when_the_relay_writes_activities(mapping: dict[str, Any], expected: bool) -> None:
    assert ("CustomField:Activity.Appcues_Event_Id__c" in desired({"contact": mapping})) is expected


def test_two_mappings_share_one_event_id_field() -> None:
    lead = changed(CONTACT, object="Lead")
    addresses = [address for address in desired({"contact": CONTACT, "lead": lead}) if "Event_Id" in address]
    assert addresses == ["CustomField:Activity.Appcues_Event_Id__c"]


def test_the_message_names_user_fields_and_version() -> None:
    assert body(desired(), "WorkflowOutboundMessage:Contact.Appcues_contact") == {
        "apiVersion": "63.0",
        "description": "Managed by sfcode: do not edit by hand. "
        "Sends the mapped fields of Contact to Appcues through the relay.",
        "endpointUrl": "https://relay.example.com/outbound-messages/contact/"
        "${secret:SFCODE_RELAY_OUTBOUND_SECRET}?v=cd79fc5a",
        "fields": ["Appcues_User_Id__c", "Id", "Plan__c", "SystemModstamp", "Title"],
        "includeSessionId": False,
        "integrationUser": USERNAME,
        "name": "Appcues contact",
        "protected": False,
        "useDeadLetterQueue": False,
    }


def test_a_field_mapped_twice_is_sent_once() -> None:
    mapping = changed(CONTACT, to_appcues={"attributes": {"a": {"field": "Title"}, "b": {"field": "Title"}}})
    components = desired({"contact": mapping})
    message = body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")
    assert message["fields"] == ["Appcues_User_Id__c", "Id", "SystemModstamp", "Title"]
    assert body(components, "Flow:Appcues_contact")["start"]["filterFormula"].count("ISCHANGED({!$Record.Title})") == 1


def test_the_version_depends_on_the_set_of_fields_alone() -> None:
    """The relay computes the same version from the same mapping: the order and repetition of fields do not matter."""
    assert message_version(["b", "a", "b"]) == message_version(["a", "b"])
    assert message_version(["a", "b"]) != message_version(["ab"])
    assert message_version(["Id"]) == "12156e92"


def test_the_flow_fires_the_message_after_the_save() -> None:
    flow = body(desired(), "Flow:Appcues_contact")
    assert flow["status"] == "Active"
    assert flow["processType"] == "AutoLaunchedFlow"
    assert flow["actionCalls"]["Send_Outbound_Message"] == {
        "label": "Send Outbound Message",
        "locationX": 0,
        "locationY": 0,
        "actionName": "Contact.Appcues_contact",
        "actionType": "outboundMessage",
        "flowTransactionModel": "CurrentTransaction",
        "nameSegment": "Contact.Appcues_contact",
    }
    assert flow["start"] == {
        "locationX": 0,
        "locationY": 0,
        "connector": {"targetReference": "Send_Outbound_Message"},
        "filterFormula": "AND(NOT(ISBLANK({!$Record.Appcues_User_Id__c})), OR(ISNEW(), "
        "ISCHANGED({!$Record.Plan__c}), ISCHANGED({!$Record.Product_User_Id__c}), ISCHANGED({!$Record.Title})))",
        "object": "Contact",
        "recordTriggerType": "CreateAndUpdate",
        "triggerType": "RecordAfterSave",
    }


def test_a_workflow_rule_takes_the_place_of_the_flow() -> None:
    components = desired({"contact": changed(CONTACT, trigger__in__to_appcues="workflow_rule")})
    assert "Flow:Appcues_contact" not in components
    assert body(components, "WorkflowRule:Contact.Appcues_contact") == {
        "actions": {"Appcues_contact": {"type": "OutboundMessage"}},
        "active": True,
        "description": "Managed by sfcode: do not edit by hand. Sends Contact to Appcues when a mapped field changes.",
        "formula": "AND(NOT(ISBLANK(Appcues_User_Id__c)), OR(ISNEW(), ISCHANGED(Plan__c), "
        "ISCHANGED(Product_User_Id__c), ISCHANGED(Title)))",
        "triggerType": "onAllChanges",
    }


@pytest.mark.parametrize("direction", ["to_salesforce", "connector"])
def test_a_mapping_that_does_not_send_has_no_message_and_flow(direction: str) -> None:
    mapping = (
        changed(CONTACT, delivery="connector")
        if direction == "connector"
        else changed(CONTACT, direction="to_salesforce", to_appcues=None)
    )
    types = {address.partition(":")[0] for address in desired({"contact": mapping})}
    assert types.isdisjoint({"WorkflowOutboundMessage", "Flow", "WorkflowRule"})


def test_an_account_is_a_mapping_like_any_other() -> None:
    components = desired({"account": ACCOUNT})
    message = body(components, "WorkflowOutboundMessage:Account.Appcues_account")
    assert message["fields"] == ["Appcues_Group_Id__c", "Id", "Industry", "SystemModstamp"]
    assert body(components, "Flow:Appcues_account")["start"]["object"] == "Account"


def test_a_custom_object_works_offline() -> None:
    """Offline, custom fields of the object are accepted by name, and its standard fields are known."""
    components = desired({"tenant": COMPANY})
    message = body(components, "WorkflowOutboundMessage:Tenant__c.Appcues_tenant")
    assert message["fields"] == ["Id", "Key__c", "Name", "Seats__c", "SystemModstamp"]
    condition = body(components, "Flow:Appcues_tenant")["start"]["filterFormula"]
    assert "ISCHANGED({!$Record.Name})" in condition
    granted = body(components, "PermissionSet:Appcues_Integration")
    assert "Tenant__c.Name" not in granted["fieldPermissions"]
    assert granted["fieldPermissions"]["Event.WhatId"] == {"editable": True, "readable": True}


def test_the_project_name_prefixes_every_developer_name() -> None:
    components = desired(config=settings(name="Guides_2"))
    own_addresses = [address for address in components if not address.startswith(("User:", "CustomField:Contact."))]
    assert [address for address in own_addresses if "Guides_2_" not in address and "Psl/" not in address] == []


def test_records_have_the_fields_that_a_row_needs() -> None:
    components = desired()
    assert body(components, f"User:{USERNAME}") == {
        "Username": USERNAME,
        "LastName": "Appcues Integration",
        "Email": "admin@example.com",
        "Profile": "Minimum Access - API Only Integrations",
        "IsActive": True,
    }
    assert body(components, f"PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{USERNAME}") == {
        "Assignee": USERNAME,
        "PermissionSetLicense": "SalesforceAPIIntegrationPsl",
    }
    assert body(components, f"PermissionSetAssignment:Appcues_Integration/{USERNAME}") == {
        "Assignee": USERNAME,
        "PermissionSet": "Appcues_Integration",
    }


def test_viewers_are_assigned_the_set_that_shows_the_fields_and_refused_where_there_is_none() -> None:
    config = settings(viewers=["sam@example.com"])
    rows = [
        row for row in generate(project(config=config), ONLINE).records if row.full_name.startswith("Appcues_Viewer/")
    ]
    assert [dict(row.body) for row in rows] == [{"Assignee": "sam@example.com", "PermissionSet": "Appcues_Viewer"}]
    sending = changed(CONTACT, direction="to_appcues", user_id={"field": "External_Id__c"}, to_salesforce=None)
    with pytest.raises(ConfigError, match="viewers: this project creates no fields"):
        generate(project({"contact": sending}, config), ONLINE)


def test_removing_an_attribute_shrinks_message_condition_and_access_together() -> None:
    """A field is sent, watched and readable only as long as the mapping contains it."""
    before = desired()
    after = desired({"contact": changed(CONTACT, plan__in__attributes__in__to_appcues=None)})
    changed_addresses = {address for address in before if before[address] != after[address]}
    assert changed_addresses == {
        "WorkflowOutboundMessage:Contact.Appcues_contact",
        "Flow:Appcues_contact",
        "PermissionSet:Appcues_Integration",
    }
    assert all("Plan__c" in before[address].canonical for address in changed_addresses)
    assert not [address for address, component in after.items() if "Plan__c" in component.canonical]


def test_online_and_offline_generation_agree_if_the_org_has_all_mapped_fields() -> None:
    assert desired(schema=ONLINE) == desired(schema=OFFLINE)
    assert desired(schema=standard()) == desired(schema=OFFLINE)
