from __future__ import annotations

import weakref
from typing import Any

import pytest

from sfcode.metadata.objects import Field, ObjectSchema
from sfcode.org.describe import describe, parse_field
from sfcode.org.parallel import CONCURRENCY
from tests.org.servers import Answer, Request, as_json

LAST_NAME = {
    "name": "LastName", "type": "string", "label": "Last Name", "length": 80, "nillable": False, "createable": True,
    "defaultedOnCreate": False, "permissionable": False, "updateable": True, "calculated": False, "custom": False,
}  # fmt: skip


def changed(**values: Any) -> dict[str, Any]:
    return {**LAST_NAME, **values}


def test_reads_a_field() -> None:
    assert parse_field(LAST_NAME) == Field(
        "LastName", "string", "Last Name", 80, required=True, permissionable=False, nillable=False
    )


@pytest.mark.parametrize(
    ("answer", "required"),
    [
        (LAST_NAME, True),
        (changed(nillable=True), False),
        (changed(defaultedOnCreate=True), False),
        (changed(createable=False), False),
        (changed(type="boolean"), False),
    ],
    ids=["needed", "nillable", "owner", "system field", "checkbox"],
)
def test_required_fields_are_those_that_users_have_to_fill_in(answer, required: bool) -> None:
    assert parse_field(answer).required is required


MAY_NOT = changed(custom=True, permissionable=True, updateable=False)


@pytest.mark.parametrize(
    ("answer", "updateable"),
    [
        (MAY_NOT, True),
        (MAY_NOT | {"calculated": True}, False),
        (MAY_NOT | {"autoNumber": True}, False),
        (MAY_NOT | {"custom": False}, False),
        (changed(permissionable=False, custom=True, updateable=False), False),
    ],
    ids=["not by who is signed in", "formula", "auto number", "standard field", "field without permissions"],
)
def test_a_field_that_the_signed_in_user_may_not_update_can_be_granted_to_others(answer, updateable: bool) -> None:
    assert parse_field(answer).updateable is updateable


def test_an_object_that_the_org_does_not_have_is_left_out() -> None:
    answers = {"Contact": {"name": "Contact", "label": "Contact", "fields": [LAST_NAME]}}
    schema = describe(["Nowhere__c", "Contact", "Contact"], answers.get)
    assert schema.online
    assert schema.objects == {
        "Contact": ObjectSchema("Contact", "Contact", {"LastName": parse_field(LAST_NAME)}, complete=True)
    }


class Described(dict[str, Any]):
    """A describe answer that supports weak references."""


def test_the_response_is_released_after_the_next_request() -> None:
    kept_answers: weakref.WeakValueDictionary[str, Described] = weakref.WeakValueDictionary()
    counts: list[int] = []

    def ask(name: str) -> Described:
        counts.append(len(kept_answers))
        answer = kept_answers[name] = Described(name=name, fields=[LAST_NAME])
        return answer

    names = [f"Thing{number}__c" for number in range(10 * CONCURRENCY)]
    assert [*describe(names, ask).objects] == sorted(names)
    assert max(counts) < CONCURRENCY


def test_asks_the_org_for_each_object_once(org_at) -> None:
    def answer(request: Request) -> Answer:
        name = request.path.split("/")[-2]
        if name == "Nowhere__c":
            return as_json([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
        return as_json({"name": name, "label": name, "fields": [LAST_NAME]})

    server, org = org_at(answer)
    schema = org.describe(["Contact", "Lead", "Event", "Task", "Nowhere__c"])
    assert sorted(schema.objects) == ["Contact", "Event", "Lead", "Task"]
    assert len(server.requests) == 5


def test_a_part_of_an_address_refers_to_the_field_with_the_permission() -> None:
    answer = {"name": "MailingCity", "type": "string", "permissionable": True, "compoundFieldName": "MailingAddress"}
    assert parse_field(answer).permission == "MailingAddress"
