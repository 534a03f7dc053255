from __future__ import annotations

import re

from sfcode.metadata.component import Component
from sfcode.org import Org
from tests.probes import samples
from tests.probes.test_packages import problems

TEXT_OF_NUMBER = re.compile(r'IF\(\s*ISBLANK\((\w+)\)\s*,\s*""\s*,\s*TEXT\(\1\)\s*\)', re.IGNORECASE)


def formulas(org: Org) -> tuple[Component, ...]:
    """Read the formula fields of contacts and leads."""
    fields = [
        item.full_name
        for item in org.metadata.list_metadata("CustomField")
        if item.full_name.startswith(("Contact.", "Lead.")) and item.full_name.endswith("__c") and not item.namespace
    ]
    return tuple(field for field in org.metadata.read_metadata("CustomField", fields) if "formula" in field.body)


def test_an_entry_condition_may_ask_for_new_and_changed(asked: Org, check) -> None:
    """U02: ISNEW() and ISCHANGED() in one formula of a flow on create and update."""
    condition = (
        "AND(NOT(ISBLANK({!$Record.Email})), OR(ISNEW(), ISCHANGED({!$Record.Email}), ISCHANGED({!$Record.Title})))"
    )
    result = check(samples.message(asked.identity.username), samples.flow(condition))
    assert result.success, problems(result)


def test_blank_as_blank_is_never_given_back(asked: Org, nothing_to_ask) -> None:
    """U26: an org leaves formulaTreatBlanksAs out of what it gives back, unless it is BlankAsZero."""
    found = formulas(asked)
    if not found:
        nothing_to_ask("this org has no formula field on contacts or leads")
    assert {field.body.get("formulaTreatBlanksAs") for field in found} <= {None, "BlankAsZero"}


def test_the_text_of_a_blank_number_is_blank(asked: Org, nothing_to_ask) -> None:
    """U01: no record with a blank number has an id, in the fields that sfcode has deployed here."""
    found = [
        (field, match) for field in formulas(asked) if (match := TEXT_OF_NUMBER.search(str(field.body["formula"])))
    ]
    if not found:
        nothing_to_ask("apply a project to this org first: it has no text formula over a number")
    for field, match in found:
        object_name, name = field.full_name.split(".")
        seen = asked.describe([object_name]).objects[object_name].fields
        if not {name, match[1]} <= seen.keys():
            nothing_to_ask(f"the signed-in user cannot see {field.full_name} or {match[1]}: assign the viewers' set")
        blank = f"SELECT COUNT() FROM {object_name} WHERE {match[1]} = NULL"
        assert asked.count(f"{blank} AND {name} != NULL") == 0
        assert asked.count(f"{blank} AND {name} = '0'") == 0


def test_a_component_that_does_not_exist_is_a_message(asked: Org) -> None:
    """U19: retrieving a made-up name is no failure."""
    retrieved = asked.metadata.retrieve({"Flow": ["Sfcode_No_Such_Flow"], "CustomField": ["Contact.Sfcode_No_Such__c"]})
    assert sorted(retrieved.files) == ["package.xml"]
    assert len(retrieved.messages) == 2
    assert "Sfcode_No_Such_Flow" in " ".join(retrieved.messages)
