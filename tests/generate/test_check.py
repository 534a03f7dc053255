"""Mappings that cannot work are refused before generation, with position and hint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.diagnostics import Position
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.generate.entry_formula import entry_condition
from sfcode.mapping.fields import fields_of
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema, standard
from tests.generate.projects import CONTACT, OFFLINE, ONLINE, changed, project


def problems(
    mapping: dict[str, Any] | None = None,
    schema: OrgSchema = OFFLINE,
    config: dict[str, Any] | None = None,
    **more: Any,
) -> list[str]:
    """Return the problems of generation without file and line: path, message and hint."""
    with pytest.raises(ConfigError) as caught:
        generate(project({"contact": mapping or CONTACT, **more}, config), schema)
    return [str(problem).split(": ", 1)[1] for problem in caught.value.problems]


def attribute(field: str, type: str | None = None) -> dict[str, Any]:
    definition = {"field": field, "type": type} if type else {"field": field}
    return changed(CONTACT, attributes__in__to_appcues={"it": definition})


def nps(**targets: Any) -> dict[str, Any]:
    return changed(CONTACT, nps__in__to_salesforce=targets)


def set_conditions(**conditions: Any) -> dict[str, Any]:
    return changed(CONTACT, where=conditions)


IT = "to_appcues.attributes.it"
CASES: dict[str, tuple[dict[str, Any], OrgSchema, str]] = {
    "misspelt standard field, offline": (
        attribute("Titel"),
        OFFLINE,
        f"{IT}: Contact has no field Titel; did you mean Title?",
    ),
    "wrong case": (attribute("title"), OFFLINE, f"{IT}: Contact has no field title; did you mean Title?"),
    "forgotten __c": (attribute("Plan"), ONLINE, f"{IT}: Contact has no field Plan; did you mean Plan__c?"),
    "custom field in the wrong case": (
        attribute("plan__C"),
        ONLINE,
        f"{IT}: Contact has no field plan__C; did you mean Plan__c?",
    ),
    "unknown custom field, online": (
        attribute("Nowhere__c"),
        ONLINE,
        f"{IT}: Contact has no field Nowhere__c; if it exists, grant the signed-in user access to it (field-level security)",
    ),
    "a condition over a field that is not there": (
        set_conditions(Titel="A"),
        OFFLINE,
        "where.Titel: Contact has no field Titel; did you mean Title?",
    ),
    "a condition over a type that none can compare": (
        set_conditions(Birthdate="2000-01-01"),
        OFFLINE,
        (
            "where.Birthdate: Contact.Birthdate is of type date, which a condition cannot compare with values; compare "
            "another field, or create a formula checkbox from it"
        ),
    ),
    "a condition with values of another type": (
        set_conditions(DoNotCall="yes"),
        standard(),
        "where.DoNotCall: Contact.DoNotCall is of type boolean; compare it with true or false",
    ),
    "a condition over a blank checkbox": (
        set_conditions(DoNotCall={"blank": True}),
        standard(),
        (
            "where.DoNotCall: Contact.DoNotCall is of type boolean, for which a condition cannot test whether it is "
            "blank; compare another field, or create a formula checkbox from it"
        ),
    ),
    "a record type by a number": (
        set_conditions(RecordType=3),
        OFFLINE,
        "where.RecordType: a record type is compared by developer name; write the developer name as a text",
    ),
    "address": (
        attribute("MailingAddress"),
        OFFLINE,
        (
            f"{IT}: Contact.MailingAddress is of type address, which cannot be sent; map its parts, which are separate "
            "fields: MailingStreet, MailingCity"
        ),
    ),
    "location": (
        attribute("Place__c"),
        ONLINE,
        (
            f"{IT}: Contact.Place__c is of type location, which cannot be sent; map its latitude and longitude fields "
            "instead"
        ),
    ),
    "encrypted": (
        attribute("Secret__c"),
        ONLINE,
        (
            f"{IT}: Contact.Secret__c is of type Encrypted, which cannot be sent; Salesforce does not allow encrypted "
            "fields in formulas and masks them in messages; map a field that is not encrypted"
        ),
    ),
    "text as boolean is fine, date as number is not": (
        attribute("Birthdate", "number"),
        OFFLINE,
        f"{IT}: Contact.Birthdate is of type date, which cannot be sent as number; change or remove `type`",
    ),
    "user ID of type Number": (
        changed(CONTACT, user_id={"field": "Product_User_Id__c"}),
        ONLINE,
        (
            "user_id.field: Contact.Product_User_Id__c is of type Number; the user ID must be a Text field; write "
            "`from: Product_User_Id__c` and a new name under `field`, such as Appcues_User_Id__c"
        ),
    ),
    "user ID of type email": (
        changed(CONTACT, user_id={"field": "Email"}),
        OFFLINE,
        (
            "user_id.field: Contact.Email is of type email; the user ID must be a Text field; use a Text field, or create a formula field of type Text from this one"
        ),
    ),
    "user ID that does not exist": (
        changed(CONTACT, user_id={"field": "Zzz__c"}),
        ONLINE,
        "user_id.field: Contact has no field Zzz__c; add `from: <a number field>`, so that sfcode generates it",
    ),
    "source of type Text": (
        changed(CONTACT, user_id={"field": "Appcues_User_Id__c", "from": "Legacy_Id__c"}),
        ONLINE,
        (
            "user_id.from: Contact.Legacy_Id__c is of type Text; the text formula is made from a Number field; it can be "
            "the user ID itself: write `field: Legacy_Id__c` and remove `from`"
        ),
    ),
    "source of another type": (
        changed(CONTACT, user_id={"field": "Appcues_User_Id__c", "from": "Price__c"}),
        ONLINE,
        (
            "user_id.from: Contact.Price__c is of type currency; the text formula is made from a Number field; use a Number field, or create a Text field with the ID and set it as `field` without `from`"
        ),
    ),
    "source that does not exist": (
        changed(CONTACT, user_id={"field": "Appcues_User_Id__c", "from": "Product_UserId__c"}),
        ONLINE,
        "user_id.from: Contact has no field Product_UserId__c; did you mean Product_User_Id__c?",
    ),
    "generated name that is taken by something else": (
        nps(score={"field": "Plan__c", "create": True}),
        ONLINE,
        (
            "to_salesforce.nps.score: Contact.Plan__c exists already and is of type picklist; Salesforce cannot convert it to a "
            "field of type Number; choose another name for the generated field, or use the existing one: remove `create`"
        ),
    ),
    "generated formula over a plain field": (
        changed(CONTACT, user_id={"field": "Legacy_Id__c", "from": "Product_User_Id__c"}),
        ONLINE,
        (
            "user_id.field: Contact.Legacy_Id__c exists already and is of type Text; Salesforce cannot convert it to a formula "
            "field of type Text; choose another name for the generated field, or use the existing one: remove `from`"
        ),
    ),
    "score into a text": (
        nps(score={"field": "Said__c"}),
        ONLINE,
        (
            "to_salesforce.nps.score: Contact.Said__c is of type Text Area; the NPS score needs Number; use another field, or a new one with `create: true`"
        ),
    ),
    "feedback into a number": (
        nps(feedback={"field": "Score__c"}),
        ONLINE,
        (
            "to_salesforce.nps.feedback: Contact.Score__c is of type Number; the NPS feedback needs Text Area (Long) or "
            "Text; use another field, or a new one with `create: true`"
        ),
    ),
    "score into a formula": (
        nps(score={"field": "Health__c"}),
        ONLINE,
        (
            "to_salesforce.nps.score: Contact.Health__c is a formula, so the NPS score cannot be written; use another field"
        ),
    ),
    "feedback into a system field": (
        nps(feedback={"field": "PhotoUrl"}),
        OFFLINE,
        (
            "to_salesforce.nps.feedback: Contact.PhotoUrl cannot be updated, so the NPS feedback cannot be written; use another field"
        ),
    ),
    "score into a field that does not exist": (
        nps(score={"field": "Missing_Number__c"}),
        ONLINE,
        "to_salesforce.nps.score: Contact has no field Missing_Number__c; add `create: true` to have it generated",
    ),
    "object that cannot be mapped": (
        changed(CONTACT, object="Opportunity"),
        OFFLINE,
        "object: Opportunity cannot be mapped; map Contact, Lead, Account or a custom object (its name ends in __c)",
    ),
    "misspelt object": (
        changed(CONTACT, object="Contacts"),
        OFFLINE,
        "object: Contacts cannot be mapped; did you mean Contact?",
    ),
    "custom object that the org does not have": (
        changed(CONTACT, object="Tenant__c"),
        ONLINE,
        "object: the org has no object Tenant__c, or the signed-in user cannot see it",
    ),
    "standard field of a custom object": (
        {"object": "Tenant__c", "user_id": {"field": "Key__c"}, "to_appcues": {"attributes": {"it": {"field": "Nam"}}}},
        OFFLINE,
        f"{IT}: Tenant__c has no field Nam; did you mean Name?",
    ),
}


@pytest.mark.parametrize(("mapping", "schema", "expected"), CASES.values(), ids=CASES)
def test_a_field_that_cannot_be_mapped_is_refused(mapping: dict[str, Any], schema: OrgSchema, expected: str) -> None:
    assert problems(mapping, schema) == [expected]


@pytest.mark.parametrize(
    ("mapping", "schema"),
    [
        (attribute("Anything__c"), OFFLINE),
        (attribute("Title", "boolean"), OFFLINE),
        (attribute("HasOptedOutOfEmail", "boolean"), OFFLINE),
        (attribute("Description"), OFFLINE),
        (changed(CONTACT, user_id={"field": "Legacy_Id__c"}), ONLINE),
        (changed(CONTACT, user_id={"field": "Unknown__c"}), OFFLINE),
        (nps(score={"field": "Score__c"}, feedback={"field": "Said__c"}), ONLINE),
        (nps(feedback={"field": "Legacy_Id__c"}), ONLINE),
    ],
    ids=[
        "unknown custom field",
        "text as boolean",
        "boolean",
        "long text",
        "Text ID",
        "unknown ID",
        "nps",
        "short text",
    ],
)
def test_a_field_that_may_exist_is_accepted(mapping: dict[str, Any], schema: OrgSchema) -> None:
    """Offline, a custom field is assumed to have the type that the mapping needs."""
    assert generate(project({"contact": mapping}), schema).components


def test_all_problems_are_reported_at_once_in_file_order() -> None:
    mapping = changed(
        CONTACT,
        user_id={"field": "Legacy_Id__c", "from": "Titel"},
        attributes__in__to_appcues={"a": {"field": "Emial"}, "b": {"field": "MailingAddress"}},
        nps__in__to_salesforce={"score": {"field": "Title"}},
    )
    with pytest.raises(ConfigError) as caught:
        generate(project({"contact": mapping, "lead": changed(CONTACT, object="Leed")}), ONLINE)
    problems = caught.value.problems
    assert [problem.path for problem in problems] == [
        "user_id.field",
        "user_id.from",
        "to_appcues.attributes.a",
        "to_appcues.attributes.b",
        "to_salesforce.nps.score",
        "object",
    ]
    assert problems[0].position == Position("config/mappings/contact.yaml", 4, 1)
    assert {problem.position.file for problem in problems if problem.position} == {
        "config/mappings/contact.yaml",
        "config/mappings/lead.yaml",
    }


def with_condition_of(length: int) -> dict[str, Any]:
    """Return a mapping whose flow has an entry condition of a given length, due to the length of a field's name."""

    def sending(last: str) -> dict[str, Any]:
        names = [
            *(f"{'F' * 30}{number:02}__c" for number in range(52)),
            *(f"{last}{number}__c" for number in range(10)),
        ]
        return changed(CONTACT, attributes__in__to_appcues={f"a{number}": name for number, name in enumerate(names)})

    def measure(mapping: dict[str, Any]) -> int:
        resolved = project({"contact": mapping}).resolved[0]
        return len(entry_condition(resolved, fields_of(OFFLINE, "Contact", resolved.created_fields()), prefixed=True))

    more = length - measure(sending("L"))
    mapping = sending("L" * (1 + more // 10))
    attributes = mapping["to_appcues"]["attributes"]
    attributes["a61"] = "M" * (more % 10) + attributes["a61"]
    assert measure(mapping) == length
    return mapping


def test_a_condition_of_the_longest_possible_length_is_accepted() -> None:
    generate(project({"contact": with_condition_of(3_900)}), OFFLINE)
    (problem,) = problems(with_condition_of(3_901))
    assert problem == (
        "to_appcues.attributes: the condition over 63 fields has 3,901 characters, and Salesforce allows 3,900; "
        "map fewer fields, or combine several in one formula field"
    )


def test_connector_with_least_privilege_is_warned_about() -> None:
    """The help page requires Customize Application for the connector, and least privilege does not grant it."""
    result = generate(project({"contact": changed(CONTACT, delivery="connector")}), OFFLINE)
    (warning,) = result.warnings
    assert warning.startswith("config/mappings/contact.yaml:")
    assert ": delivery: Appcues' connector sets up its own message and rule" in warning


@pytest.mark.parametrize(("scale", "noted"), [(0, False), (2, True)])
def test_a_user_id_with_decimals_is_noted(scale: int, noted: bool) -> None:
    """TEXT(0.5) is `.5` in Salesforce, which is not how other systems write this ID."""
    number = Field("Product_User_Id__c", "double", custom=True, precision=18, scale=scale)
    objects = {**ONLINE.objects}
    contact = objects["Contact"]
    objects["Contact"] = replace(contact, fields={**contact.fields, number.name: number})
    result = generate(project({"contact": CONTACT}), OrgSchema(objects, online=True))
    notes = [note for note in result.advice if "decimal places" in note.message]
    assert [note.path for note in notes] == (["user_id.from"] if noted else [])


def test_a_field_of_an_unknown_type_is_refused() -> None:
    """Unknown field types are refused by name."""
    schema = OrgSchema(
        {"Contact": ObjectSchema("Contact", "Contact", {"New__c": Field("New__c", "hologram")})}, online=True
    )
    messages = problems(changed(attribute("New__c"), user_id={"field": "Id__c"}), schema)
    assert messages == [
        f"{IT}: Contact.New__c is of type hologram, which cannot be sent; map a field with a single value"
    ]


@pytest.mark.parametrize("name", ["Nowhere__c", "Nowhere__C"])
def test_offline_a_custom_field_may_exist(name: str) -> None:
    assert generate(project({"contact": attribute(name)}), OFFLINE)
