"""The normal form: elements that an org adds or omits are no differences, and all others are."""

from __future__ import annotations

import pytest

from sfcode.metadata import schema_table
from sfcode.metadata.component import Component, Value
from sfcode.metadata.defaults import RULES, SIGNIFICANT_TEXT
from sfcode.metadata.diff import diff
from sfcode.metadata.normalize import normalize
from tests.metadata.samples import FLOW, MESSAGE, PERMISSIONS, USER_ID


def body(type_: str, **values: Value) -> dict[str, Value]:
    return dict(normalize(Component(type_, "Contact.One", values)).body)


def test_a_field_retrieved_is_the_field_that_was_sent() -> None:
    """An org adds switches with default values, and omits BlankAsBlank."""
    deployed = {"formula": "A", "formulaTreatBlanksAs": "BlankAsBlank", "label": "L", "type": "Text", "unique": False}
    retrieved = {
        "externalId": False,
        "formula": "A",
        "label": "L",
        "required": False,
        "trackHistory": False,
        "type": "Text",
    }
    assert body("CustomField", **deployed) == body("CustomField", **retrieved)
    assert body("CustomField", **{**deployed, "formulaTreatBlanksAs": "BlankAsZero"}) != body(
        "CustomField", **retrieved
    )


def test_an_outbound_message_retrieved_is_the_one_that_was_sent() -> None:
    """The element `includeSessionId` is not compared, since an org ignores its value."""
    normalized_component = normalize(MESSAGE)
    retrieved = Component(
        MESSAGE.type, MESSAGE.full_name, {**MESSAGE.body, "apiVersion": "63", "includeSessionId": True}
    )
    assert normalize(retrieved) == normalized_component
    assert sorted(normalized_component.body) == ["apiVersion", "endpointUrl", "fields", "integrationUser", "name"]
    other_message = Component(MESSAGE.type, MESSAGE.full_name, {**MESSAGE.body, "useDeadLetterQueue": True})
    assert normalize(other_message) != normalized_component


def test_a_flow_saved_in_flow_builder_is_the_same_flow() -> None:
    """Positions, notes of Flow Builder, the default label of a run, and the repeated name of the action have no meaning."""
    assert normalize(FLOW).body == {
        "actionCalls": {
            "Send_Contact": {
                "label": "Send Contact",
                "actionName": "Contact.Appcues_contact",
                "actionType": "outboundMessage",
                "flowTransactionModel": "CurrentTransaction",
            }
        },
        "apiVersion": "63.0",
        "label": "Appcues contact",
        "processType": "AutoLaunchedFlow",
        "start": {
            "connector": {"targetReference": "Send_Contact"},
            "filterFormula": "OR(ISNEW(), ISCHANGED({!$Record.Email}))",
            "object": "Contact",
            "recordTriggerType": "CreateAndUpdate",
            "triggerType": "RecordAfterSave",
        },
        "status": "Active",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "Draft"),
        ("interviewLabel", "Something else"),
        ("environments", ["Slack"]),
        ("runInMode", "SystemModeWithoutSharing"),
        ("processMetadataValues", {"ObjectType": {"value": {"stringValue": "Contact"}}}),
    ],
)
def test_a_flow_with_another_action_is_different(name: str, value: Value) -> None:
    assert normalize(Component("Flow", FLOW.full_name, {**FLOW.body, name: value})) != normalize(FLOW)


def test_an_action_with_another_name_segment_is_different() -> None:
    call = {"actionName": "Contact.A", "actionType": "outboundMessage", "nameSegment": "Contact.B", "versionSegment": 1}
    assert body("Flow", actionCalls={"A": call})["actionCalls"] == {
        "A": {"actionName": "Contact.A", "actionType": "outboundMessage", "nameSegment": "Contact.B"}
    }


def test_permissions_that_grant_nothing_are_omitted() -> None:
    """A permission set is replaced as a whole, so an entry whose permission is off has the same meaning as no entry."""
    empty_body = body(
        "PermissionSet",
        label="P",
        hasActivationRequired=False,
        applicationVisibilities={"App": {"visible": False}},
        fieldPermissions={"Contact.A__c": {"editable": False, "readable": False}, "Contact.B__c": {"editable": False}},
        objectPermissions={"Lead": {"allowRead": False, "allowEdit": False}},
        tabSettings={"standard-Contact": {"visibility": "None"}},
        userPermissions={"ApiEnabled": {"enabled": False}},
    )
    assert empty_body == {"label": "P"}


def test_object_permissions_are_shown_with_all_their_rights() -> None:
    """Edit includes Read; all six permissions of an object are listed, and viewAllFields only if it is on."""
    rights = body(
        "PermissionSet",
        fieldPermissions={"Contact.A__c": {"editable": True}, "Contact.B__c": {"readable": True}},
        objectPermissions={"Contact": {"allowRead": True, "viewAllFields": False}},
    )
    assert rights == {
        "fieldPermissions": {
            "Contact.A__c": {"editable": True, "readable": True},
            "Contact.B__c": {"editable": False, "readable": True},
        },
        "objectPermissions": {
            "Contact": {
                "allowCreate": False,
                "allowDelete": False,
                "allowEdit": False,
                "allowRead": True,
                "modifyAllRecords": False,
                "viewAllRecords": False,
            }
        },
    }
    assert normalize(PERMISSIONS).body["objectPermissions"] == PERMISSIONS.body["objectPermissions"]


def test_blanks_around_texts_and_empty_texts_are_no_difference_unless_they_are_data() -> None:
    assert body("CustomField", formula="\r\n  IF(a,\r\n b, c)\n", description="", inlineHelpText=" ") == {
        "formula": "IF(a,\n b, c)"
    }
    constant = {"dataType": "String", "value": {"stringValue": " "}}
    assert body("Flow", constants={"Blank": constant})["constants"] == {"Blank": constant}
    assert body("Flow", constants={"None": {"dataType": "String", "value": {"stringValue": ""}}})["constants"] == {
        "None": {"dataType": "String", "value": {"stringValue": ""}}
    }


def test_a_keyed_entry_with_only_defaults_is_kept() -> None:
    """The name alone defines a permission, a variable or a constant."""
    assert body("Flow", variables={"v": {"dataType": "String", "isInput": False}})["variables"] == {
        "v": {"dataType": "String"}
    }
    assert body("WorkflowRule", actions={"A": {}})["actions"] == {"A": {}}


def test_the_component_itself_is_not_normalized() -> None:
    """The normal form is another value; the component itself is not touched."""
    before = FLOW.canonical, USER_ID.canonical
    normalize(FLOW)
    normalize(USER_ID)
    assert (FLOW.canonical, USER_ID.canonical) == before


def test_records_are_their_own_normal_form_but_for_the_case_of_names() -> None:
    user = Component("User", "a@example.com", {"Username": "a@example.com", "LastName": "", "IsActive": False})
    assert normalize(user) == user
    other_user = Component("User", "A@example.com", {**user.body, "Username": "A@EXAMPLE.com"})
    assert diff(normalize(user).body, normalize(other_user).body) == ()
    renamed = Component("User", "a@example.com", {**user.body, "LastName": "A"})
    assert diff(normalize(user).body, normalize(renamed).body) != ()


def test_changes_are_those_of_the_normal_form() -> None:
    before = normalize(Component("PermissionSet", "P", {"fieldPermissions": {"Contact.Title": {"readable": True}}}))
    after = normalize(Component("PermissionSet", "P", {"fieldPermissions": {"Contact.Title": {"editable": True}}}))
    assert [(change.path[-1], change.before, change.after) for change in diff(before.body, after.body)] == [
        ("editable", False, True)
    ]


def test_each_rule_is_about_elements_that_exist_and_says_why() -> None:
    for rule in RULES:
        assert rule.reason
        for element in rule.elements:
            owners = [rule.owner] if rule.owner != "*" else ["FlowStart", "FlowActionCall"]
            for owner in owners:
                assert element in (schema_table.elements(owner) or {}), (owner, element)
    for owner, elements in SIGNIFICANT_TEXT.items():
        assert elements <= (schema_table.elements(owner) or {}).keys()
