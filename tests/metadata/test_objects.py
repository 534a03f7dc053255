"""The shipped table of standard objects: complete for the fields of mappings, and consistent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfcode.metadata import objects
from sfcode.metadata.objects import Field, standard

OBJECTS = standard().objects
FIELDS = [
    pytest.param(owner, field, id=f"{owner}.{field.name}")
    for owner, schema in OBJECTS.items()
    for field in schema.fields.values()
]


def test_the_table_has_the_objects_that_sfcode_deals_with() -> None:
    names = ["Account", "Activity", "Campaign", "CampaignMember", "Contact", "Event", "Lead", "Task", "User"]
    assert sorted(OBJECTS) == names
    assert not standard().online
    assert not any(schema.complete for schema in OBJECTS.values())


def test_six_standard_fields_of_event_have_field_permissions() -> None:
    permissions = {field.permission for field in OBJECTS["Event"].fields.values()} - {""}
    assert permissions == {"Description", "IsAllDayEvent", "Location", "Type", "WhatId", "WhoId"}


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("Account", {"Name"}),
        ("Contact", {"LastName"}),
        ("Event", set()),
        ("Lead", {"Company", "LastName"}),
        ("Task", set()),
        (
            "User",
            {
                "Alias",
                "Email",
                "EmailEncodingKey",
                "LanguageLocaleKey",
                "LastName",
                "LocaleSidKey",
                "ProfileId",
                "TimeZoneSidKey",
                "Username",
            },
        ),
    ],
)
def test_required_fields_are_those_that_a_new_record_must_have(name: str, required: set[str]) -> None:
    assert {field.name for field in OBJECTS[name].fields.values() if field.required} == required


def test_a_part_of_an_address_has_the_field_permission_of_the_address() -> None:
    fields = OBJECTS["Contact"].fields
    assert fields["MailingCity"].permission == fields["MailingAddress"].permission == "MailingAddress"
    assert fields["FirstName"].permission == fields["LastName"].permission == fields["OwnerId"].permission == ""
    assert Field("Plan__c", "picklist", custom=True).permission == "Plan__c"


def test_the_fields_of_activities_are_in_the_table() -> None:
    assert OBJECTS["Event"].fields["Subject"] == Field(
        "Subject",
        "combobox",
        "Subject",
        255,
        permissionable=False,
        values=("Call", "Send Letter", "Send Quote", "Meeting", "Other"),
    )
    assert OBJECTS["Event"].fields["Description"].length == 32000
    assert OBJECTS["Task"].fields["Status"].default == "Not Started"
    assert OBJECTS["Event"].fields["WhoId"].reference_to == ("Contact", "Lead")


@pytest.mark.parametrize(("owner", "field"), FIELDS)
def test_each_field_is_consistent(owner: str, field: Field) -> None:
    """References name existing objects, defaults are among the values, and read-only fields are not required."""
    assert field.label
    assert bool(field.reference_to) is (field.type == "reference")
    assert field.default is None or field.type == "boolean" or field.default in field.values
    assert not (field.required and field.permissionable)
    assert field.type not in ("string", "textarea", "email", "phone", "url") or field.length
    if field.compound and field.permissionable:
        assert OBJECTS[owner].fields[field.compound].permissionable


def test_the_table_has_its_source() -> None:
    data = json.loads(Path(objects.__file__).with_name("objects.json").read_text(encoding="utf-8"))
    assert "object_reference" in data["source"]
    unsure = {
        f"{owner}.{name}"
        for owner, entry in data["objects"].items()
        for name, spec in entry["fields"].items()
        if "unsure" in spec
    }
    assert "Task.CallType" in unsure
    assert not any(name.startswith("Event.") for name in unsure)
