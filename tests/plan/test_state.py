import base64
import json
import random
import tracemalloc

import pytest

from sfcode.errors import OrgError
from sfcode.mapping.limits import STATIC_RESOURCE_SIZE
from sfcode.metadata.component import Address, Component
from sfcode.plan.state import Applied, Past, state_address
from sfcode.plan.state_format import (
    STATE_SIZE,
    from_component,
    measure_state,
    readable_text,
    state_text,
    to_component,
)


def test_the_state_is_read_back_from_the_org():
    applied = Applied(
        {Address("CustomField", "Contact.A__c"): {"label": "A", "nested": {"x": [1, True, None]}}},
        revision="abc",
        applied_by="admin@example.com",
        applied_at="2026-11-23T10:00:00Z",
        secrets={"OUT": "0123456789ab"},
    )
    assert from_component(to_component(state_address("Appcues"), applied)) == applied


def test_without_a_static_resource_nothing_is_applied():
    assert from_component(None) == Applied()


def test_the_same_state_is_the_same_bytes():
    first = {Address("A", "x"): {"b": 1, "a": 2}, Address("B", "y"): {}}
    second = {Address("B", "y"): {}, Address("A", "x"): {"a": 2, "b": 1}}
    assert to_component(state_address("P"), Applied(first)) == to_component(state_address("P"), Applied(second))


def test_a_state_of_the_first_format_is_read():
    applied = Applied({Address("A", "x"): {"b": 1}}, revision="abc", history=(past("1"),))
    assert json.loads(readable_text(applied))["format_version"] == 1
    assert from_component(to_component(state_address("P"), applied, readable_text)) == applied


def past(apply_id, size=0):
    """Return an apply that replaced an incompressible text, with a given stored size in bytes."""
    text = base64.b64encode(random.Random(apply_id).randbytes(size * 3 // 4)).decode()
    return Past(apply_id, "then", "me", None, {Address("A", "x"): {"text": text}}, frozenset())


def keep(*sizes):
    """Return the IDs of the applies that a state keeps, newest first, for applies of given sizes."""
    applied = Applied(history=tuple(past(str(number), size) for number, size in enumerate(sizes)))
    component = to_component(state_address("P"), applied)
    assert len(base64.b64decode(component.body["content"])) <= STATIC_RESOURCE_SIZE
    ids = [past_apply.id for past_apply in from_component(component).history]
    assert measure_state(applied)[1] == len(ids)
    return ids


def test_five_applies_are_kept():
    assert keep(*[10] * 7) == ["0", "1", "2", "3", "4"]


def test_the_oldest_applies_are_removed_first_if_the_state_is_too_large():
    third = STATE_SIZE * 3 // 10
    assert keep(10, third, third, third, 10) == ["0", "1", "2", "3", "4"]
    assert keep(10, third, third, third, third) == ["0", "1", "2", "3"]
    assert keep(10, STATE_SIZE, 10) == ["0"], "an older one is of no use without those after it"


def test_the_last_apply_stays_up_to_the_limit_of_a_static_resource():
    assert keep(STATE_SIZE * 2, 10) == ["0"]
    assert keep(STATIC_RESOURCE_SIZE * 11 // 10, 10) == []


def test_a_thousand_mappings_take_less_than_a_megabyte():
    names = [f"Thing{number}__c" for number in range(1_000)]
    fields = [f"{name}.Field{number}__c" for name in names for number in range(5)]
    message = {"fields": [f"Field{number}__c" for number in range(20)], "endpointUrl": "https://relay.example.com/"}
    flow = {"label": "x", "start": {"object": "x", "filterFormula": "OR(ISNEW(), ISCHANGED({!$Record.Field__c}))" * 20}}
    bodies = {
        **{Address("CustomField", name): {"type": "Number", "label": name, "precision": 2} for name in fields},
        **{Address("WorkflowOutboundMessage", f"{name}.Appcues"): {**message, "name": name} for name in names},
        **{Address("Flow", name): {**flow, "description": name} for name in names},
        Address("PermissionSet", "P"): {"fieldPermissions": {name: {"readable": True} for name in fields}},
    }
    assert len(readable_text(Applied(bodies))) > STATIC_RESOURCE_SIZE / 2
    assert len(state_text(Applied(bodies, history=(past("1"),)))) < STATE_SIZE / 2


def test_a_state_is_written_without_its_text_as_a_whole():
    bodies = {Address("Flow", f"Flow{number}"): {"description": "x" * 50_000} for number in range(200)}
    tracemalloc.start()
    try:
        state_text(Applied(bodies))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(readable_text(Applied(bodies))) / 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"format_version": 1}',
        b'{"format_version": 2, "content": "eA==", "history": []}',
        b'{"format_version": 2, "content": "eJyrVkpUsjKsBQAI", "history": []}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=len,
)
def test_an_overwritten_state_is_an_error_with_a_hint(content):
    component = Component(
        "StaticResource", state_address("Appcues").full_name, {"content": base64.b64encode(content).decode()}
    )
    with pytest.raises(OrgError, match="StaticResource:Appcues_sfcode_state does not contain sfcode's state") as error:
        from_component(component)
    assert "Delete that static resource" in error.value.hint


def test_a_state_of_a_newer_format_is_refused():
    component = Component("StaticResource", "x", {"content": base64.b64encode(b'{"format_version": 3}').decode()})
    with pytest.raises(OrgError, match="has format 3, this sfcode reads 2"):
        from_component(component)


def test_the_static_resource_is_private_and_has_a_description():
    component = to_component(state_address("Appcues"), Applied(org_id="00D000000000001EAA"))
    assert str(component.address) == "StaticResource:Appcues_sfcode_state" == str(state_address("Appcues"))
    body = {name: value for name, value in component.body.items() if name != "content"}
    assert body == {
        "cacheControl": "Private",
        "contentType": "application/json",
        "description": "What sfcode last applied here. Written by sfcode apply; do not edit.",
    }
    assert from_component(component).org_id == "00D000000000001EAA"


def test_the_managed_components_are_sorted_by_address():
    applied = Applied({Address("B", "y"): {}, Address("A", "z"): {}, Address("A", "x"): {}})
    assert [str(component.address) for component in applied.list_components()] == ["A:x", "A:z", "B:y"]
