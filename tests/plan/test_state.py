import base64

import pytest

from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Component
from sfcode.plan.state import Applied, from_component, state_address, to_component


def test_state_survives_the_org():
    applied = Applied(
        {Address("CustomField", "Contact.A__c"): {"label": "A", "nested": {"x": [1, True, None]}}},
        revision="abc",
        applied_by="admin@example.com",
        applied_at="2026-11-23T10:00:00Z",
        secrets={"OUT": "0123456789ab"},
    )
    assert from_component(to_component(state_address("Appcues"), applied)) == applied


def test_no_static_resource_means_nothing_was_applied():
    assert from_component(None) == Applied()


def test_the_same_state_is_the_same_bytes():
    one = {Address("A", "x"): {"b": 1, "a": 2}, Address("B", "y"): {}}
    two = {Address("B", "y"): {}, Address("A", "x"): {"a": 2, "b": 1}}
    assert to_component(state_address("P"), Applied(one)) == to_component(state_address("P"), Applied(two))


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b"{}", b'{"format_version": 1}', b"\xff\xfe", b"[" * 100_000], ids=len
)
def test_state_that_somebody_wrote_over_is_an_error_with_a_hint(content):
    component = Component(
        "StaticResource", state_address("Appcues").full_name, {"content": base64.b64encode(content).decode()}
    )
    with pytest.raises(OrgError, match="StaticResource:Appcues_sfcode_state does not hold sfcode's state") as error:
        from_component(component)
    assert "Delete that static resource" in error.value.hint


def test_state_of_a_newer_format_says_so():
    component = Component("StaticResource", "x", {"content": base64.b64encode(b'{"format_version": 2}').decode()})
    with pytest.raises(OrgError, match="has format 2, this sfcode reads 1"):
        from_component(component)


def test_the_static_resource_is_private_and_says_what_it_is():
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
    assert [str(component.address) for component in applied.listed()] == ["A:x", "A:z", "B:y"]
