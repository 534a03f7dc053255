"""The entry condition: a record with a user ID is new, or one of its mapped fields changed."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.diagnostics import Level
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.metadata.objects import standard
from tests.generate.projects import CONTACT, OFFLINE, ONLINE, body, changed, desired, project

HAS_USER = "NOT(ISBLANK({!$Record.Appcues_User_Id__c}))"
CHANGED = "ISCHANGED({!$Record.Product_User_Id__c}), ISCHANGED({!$Record.Title})"


def start(**changes: Any) -> dict[str, Any]:
    mapping = changed(CONTACT, attributes__in__to_appcues={"role": {"field": "Title"}}, **changes)
    start_element: dict[str, Any] = body(desired({"contact": mapping}), "Flow:Appcues_contact")["start"]
    return start_element


def condition_of(**changes: Any) -> str:
    """Return the entry condition over the fields of standard objects."""
    mapping = changed(CONTACT, attributes__in__to_appcues={"role": {"field": "Title"}}, **changes)
    desired = generate(project({"contact": mapping}), standard())
    (flow,) = (component for component in desired.components if component.type == "Flow")
    return str(flow.body["start"]["filterFormula"])


def rule(**changes: Any) -> dict[str, Any]:
    mapping = changed(
        CONTACT, to_appcues={"trigger": "workflow_rule", "attributes": {"role": {"field": "Title"}}, **changes}
    )
    return body(desired({"contact": mapping}), "WorkflowRule:Contact.Appcues_contact")


@pytest.mark.parametrize(
    ("conditions", "condition", "compared"),
    [
        ({"RecordType": ["A"]}, '{!$Record.RecordType.DeveloperName} = "A"', "RecordTypeId"),
        (
            {"Department": ["A", 'B "b" \\ c']},
            'OR({!$Record.Department} = "A", {!$Record.Department} = "B \\"b\\" \\\\ c")',
            "Department",
        ),
        ({"LeadSource": {"not": "Web"}}, 'NOT(ISPICKVAL({!$Record.LeadSource}, "Web"))', "LeadSource"),
        ({"LeadSource": {"blank": True}}, 'ISPICKVAL({!$Record.LeadSource}, "")', "LeadSource"),
        ({"Birthdate": {"blank": False}}, "NOT(ISBLANK({!$Record.Birthdate}))", "Birthdate"),
        ({"DoNotCall": False}, "NOT({!$Record.DoNotCall})", "DoNotCall"),
        ({"DoNotCall": {"not": False}}, "{!$Record.DoNotCall}", "DoNotCall"),
        (
            {"Product_User_Id__c": {"not": [1, 2.5]}},
            "OR(ISBLANK({!$Record.Product_User_Id__c}), NOT(OR({!$Record.Product_User_Id__c} = 1, {!$Record.Product_User_Id__c} = 2.5)))",
            "Product_User_Id__c",
        ),
    ],
)
def test_a_record_that_meets_or_begins_to_meet_the_conditions_is_sent(conditions, condition, compared) -> None:
    formula = condition_of(where=conditions)
    assert formula.startswith(f"AND({HAS_USER}, {condition}, OR(ISNEW(), ")
    assert f"ISCHANGED({{!$Record.{compared}}})" in formula
    once = condition_of(where=conditions, on__in__to_appcues=["create"])
    assert once == f"AND({HAS_USER}, {condition})"


def test_a_workflow_rule_has_the_same_condition_without_prefixes() -> None:
    mapping = changed(
        CONTACT,
        where={"RecordType": {"not": ["A"]}},
        to_appcues={"trigger": "workflow_rule", "attributes": {"role": {"field": "Title"}}},
    )
    formula = body(desired({"contact": mapping}), "WorkflowRule:Contact.Appcues_contact")["formula"]
    assert 'NOT(RecordType.DeveloperName = "A")' in formula


@pytest.mark.parametrize(
    ("on", "trigger", "condition"),
    [
        (["create", "update"], "CreateAndUpdate", f"AND({HAS_USER}, OR(ISNEW(), {CHANGED}))"),
        (["update", "create"], "CreateAndUpdate", f"AND({HAS_USER}, OR(ISNEW(), {CHANGED}))"),
        (["create"], "Create", HAS_USER),
        (["update"], "Update", f"AND({HAS_USER}, OR({CHANGED}))"),
    ],
    ids=["both", "both reversed", "create", "update"],
)
def test_a_flow_starts_on_the_configured_saves(on: list[str], trigger: str, condition: str) -> None:
    element = start(on__in__to_appcues=on)
    assert (element["recordTriggerType"], element["filterFormula"]) == (trigger, condition)


@pytest.mark.parametrize(
    ("on", "trigger", "condition"),
    [
        (
            ["create", "update"],
            "onAllChanges",
            "AND(NOT(ISBLANK(Appcues_User_Id__c)), OR(ISNEW(), ISCHANGED(Product_User_Id__c), ISCHANGED(Title)))",
        ),
        (["create"], "onCreateOnly", "NOT(ISBLANK(Appcues_User_Id__c))"),
        (
            ["update"],
            "onAllChanges",
            "AND(NOT(ISBLANK(Appcues_User_Id__c)), OR(ISCHANGED(Product_User_Id__c), ISCHANGED(Title)))",
        ),
    ],
    ids=["both", "create", "update"],
)
def test_a_rule_has_the_same_condition_without_prefixes(on: list[str], trigger: str, condition: str) -> None:
    """A rule distinguishes ISNEW and ISCHANGED by its trigger, since no field of a new record has changed."""
    rule_body = rule(on=on)
    assert (rule_body["triggerType"], rule_body["formula"]) == (trigger, condition)


def test_an_existing_user_id_field_is_watched_itself() -> None:
    condition = start(user_id={"field": "External_Key__c"})["filterFormula"]
    assert "ISCHANGED({!$Record.External_Key__c})" in condition
    assert "NOT(ISBLANK({!$Record.External_Key__c}))" in condition


def test_the_source_is_watched_in_place_of_the_generated_formula() -> None:
    """The source field is watched even if the formula field is also mapped as an attribute."""
    mapping = changed(
        CONTACT, attributes__in__to_appcues={"key": {"field": "Appcues_User_Id__c"}}, on__in__to_appcues=["update"]
    )
    filter_formula = body(desired({"contact": mapping}), "Flow:Appcues_contact")["start"]["filterFormula"]
    assert filter_formula == f"AND({HAS_USER}, ISCHANGED({{!$Record.Product_User_Id__c}}))"


def test_system_fields_are_sent_but_are_no_reason_to_send() -> None:
    """LastModifiedDate changes at every save; if it were watched, every save would send a message."""
    attributes = {"touched": {"field": "LastModifiedDate"}, "id": {"field": "Id"}, "stamp": {"field": "SystemModstamp"}}
    components = desired({"contact": changed(CONTACT, attributes__in__to_appcues=attributes)})
    condition = body(components, "Flow:Appcues_contact")["start"]["filterFormula"]
    assert condition == f"AND({HAS_USER}, OR(ISNEW(), ISCHANGED({{!$Record.Product_User_Id__c}})))"
    message = body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")
    assert message["fields"] == ["Appcues_User_Id__c", "Id", "LastModifiedDate", "SystemModstamp"]


def test_a_full_name_is_watched_by_its_parts() -> None:
    components = desired({"contact": changed(CONTACT, attributes__in__to_appcues={"name": {"field": "Name"}})})
    condition = body(components, "Flow:Appcues_contact")["start"]["filterFormula"]
    assert "ISCHANGED({!$Record.FirstName}), ISCHANGED({!$Record.LastName})" in condition
    assert "Record.Name}" not in condition


def test_a_mapped_formula_field_is_watched_and_warned_about() -> None:
    """The value of a formula field can change without a save of the record; then no message is sent."""
    mapping = changed(CONTACT, attributes__in__to_appcues={"health": {"field": "Health__c", "type": "number"}})
    result = generate(project({"contact": mapping}), ONLINE)
    (warning,) = result.warnings
    assert warning.startswith(
        "config/mappings/contact.yaml:9:1: to_appcues.attributes.health: Contact.Health__c is a formula: "
    )
    flow = next(component for component in result.components if component.type == "Flow")
    assert "ISCHANGED({!$Record.Health__c})" in flow.canonical


def test_a_reference_to_several_objects_takes_part_in_a_condition() -> None:
    """A lead's owner is a user or a queue. Active after-save flows of real orgs watch such a field with ISCHANGED."""
    mapping = changed(CONTACT, object="Lead", attributes__in__to_appcues={"owner": {"field": "OwnerId"}})
    result = generate(project({"contact": mapping}), OFFLINE)
    assert result.warnings == ()
    flow = next(component for component in result.components if component.type == "Flow")
    assert "ISCHANGED({!$Record.OwnerId})" in flow.canonical


@pytest.mark.parametrize(
    ("object_name", "field", "feature"),
    [
        ("Contact", "CurrencyIsoCode", "multiple currencies"),
        ("Contact", "MailingStateCode", "state and country/territory picklists"),
        ("Lead", "CountryCode", "state and country/territory picklists"),
        ("Contact", "IsPersonAccount", "person accounts"),
        ("Account", "PersonEmail", "person accounts"),
        ("Account", "PersonMailingCity", "person accounts"),
    ],
)
def test_a_field_of_an_orgs_feature_is_known_offline_with_a_note(object_name: str, field: str, feature: str) -> None:
    """Offline it is unknown whether the feature is turned on; the org knows it."""
    attributes = {"extra": {"field": field}}
    mapping = changed(CONTACT, object=object_name, attributes__in__to_appcues=attributes)
    if object_name == "Account":
        mapping = changed(mapping, match="group")
    result = generate(project({"contact": mapping}), standard())
    notes = [str(note) for note in result.advice if field in note.message]
    assert [note.partition(" exists only in orgs with ")[2] for note in notes] == [
        f"{feature}; `sfcode plan` checks it against the org"
    ]
    assert {note.level for note in result.advice} == {Level.NOTE}


def test_an_org_without_the_feature_lacks_the_field() -> None:
    mapping = changed(CONTACT, attributes__in__to_appcues={"currency": {"field": "CurrencyIsoCode"}})
    with pytest.raises(ConfigError, match="Contact has no field CurrencyIsoCode"):
        generate(project({"contact": mapping}), ONLINE)


def test_the_help_pages_mapping_has_no_warnings() -> None:
    assert generate(project(), OFFLINE).warnings == ()
    assert generate(project(), ONLINE).warnings == ()
