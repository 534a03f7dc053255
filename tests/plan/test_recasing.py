"""Names are compared without case: a name in another case is updated in place or unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfcode.config.project import Project
from sfcode.generate import generate
from sfcode.metadata.component import RECORD_TYPES, Address, Component
from sfcode.metadata.types import TYPES
from sfcode.plan.change import Action, Change
from sfcode.plan.reports.diff_tree import lines
from tests.generate.projects import CONTACT, OFFLINE, changed, project
from tests.generate.projects import settings as config
from tests.plan.samples import build, observed

LEAD: dict[str, Any] = {
    "object": "Lead",
    "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    "to_appcues": {"trigger": "workflow_rule", "attributes": {"role": {"field": "Title"}}},
    "to_salesforce": {"nps": {"score": {"field": "Appcues_NPS_Score__c", "create": True}}, "activities": ["nps_score"]},
}
CONFIGS = {
    "events": config(),
    "own object": config(relay={"url": "https://relay.example.com", "activities_as": "custom_object"}),
    "app": config(relay={"url": "https://relay.example.com", "sign_in": {"flow": "client_credentials"}}),
    "named set": config(
        integration_user={
            "username": "appcues.integration@example.com",
            "email": "admin@example.com",
            "permission_set": "Appcues_Access",
        }
    ),
}
Recase = Callable[[str], str]


def flipped(flips: int) -> Recase:
    """Return a function that changes the case of some letters of a name: those at the positions of the bits of `flips`."""

    def recase(name: str) -> str:
        base = name.removesuffix("__c")
        letters = (letter.swapcase() if flips >> (index % 48) & 1 else letter for index, letter in enumerate(base))
        return "".join(letters) + name[len(base) :]

    return recase


def recased(mapping: dict[str, Any], recase: Recase) -> dict[str, Any]:
    """Copy a mapping with all of its names in another case."""
    copy: dict[str, Any] = json.loads(json.dumps(mapping))
    copy["user_id"] = {key: recase(name) for key, name in copy["user_id"].items()}
    for target in copy["to_salesforce"]["nps"].values():
        target["field"] = recase(target["field"])
    return copy


def make_project(kind: str, recase: Recase = str) -> Project:
    base = json.loads(json.dumps(CONFIGS[kind]))
    base["name"] = recase(base["name"])
    user = base["integration_user"]
    user["username"] = recase(user["username"])
    if "permission_set" in user:
        user["permission_set"] = recase(user["permission_set"])
    contact, lead = recased(changed(CONTACT), recase), recased(LEAD, recase)
    return project({recase("contact"): contact, recase("lead"): lead}, base)


def components(given_project: Project) -> tuple[Component, ...]:
    result = generate(given_project, OFFLINE)
    return (*result.components, *result.records)


@pytest.mark.parametrize("keeps", [True, False], ids=["the org keeps its names", "the org takes the new ones"])
@pytest.mark.parametrize("kind", CONFIGS)
@given(flips=st.integers(min_value=1, max_value=2**48 - 1))
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_names_in_another_case_are_neither_created_nor_deleted(kind: str, keeps: bool, flips: int) -> None:
    before, after = make_project(kind), make_project(kind, flipped(flips))
    observed_components, desired_state = components(before), generate(after, OFFLINE)
    applied = tuple(component for component in observed_components if not component.address.is_record)

    plan = build(after, desired_state, observed(*observed_components, applied=applied))

    assert {change.action for change in plan.changes} <= {Action.NO_OP, Action.UPDATE}
    assert plan.refusals == ()
    assert {change.address for change in plan.changes} == {component.address for component in observed_components}
    # Components are deployed with their names in the org, so that no second component is created.
    names = {component.address: component.full_name for component in observed_components}
    assert all(change.after.full_name == names[change.address] for change in plan.effective if change.after)

    components_by_address = {component.address: component for component in observed_components}
    for change in plan.effective:
        assert change.after is not None
        name = change.after.full_name if keeps else change.address.full_name
        components_by_address[change.address] = Component(change.address.type, name, change.after.body)
    second_plan = build(
        after, desired_state, observed(*components_by_address.values(), applied=desired_state.components)
    )
    assert second_plan.is_empty


def test_reports_show_only_differences_besides_case() -> None:
    rows = {"Contact.Plan__c": {"readable": True}, "Contact.Zip__c": {"readable": True}}
    before = Component("PermissionSet", "A", {"label": "A", "fieldPermissions": rows})
    permissions = {"Contact.PLAN__c": {"readable": True, "editable": True}, "contact.ZIP__c": {"readable": True}}
    after = Component("PermissionSet", "A", {"label": "A", "fieldPermissions": permissions})
    texts = [line.text for line in lines(Change(after.address, before, after))]
    assert texts == [
        "fieldPermissions = {",
        '"Contact.PLAN__c" = {',
        "editable = false -> true",
        "# (1 unchanged attribute hidden)",
        "}",
        "# (1 unchanged attribute hidden)",
        "}",
        "# (1 unchanged attribute hidden)",
    ]


def test_addresses_are_compared_without_case_and_shown_as_written() -> None:
    first, second = Address.parse("CustomField:Contact.Plan__c"), Address.parse("CustomField:contact.PLAN__c")
    assert first == second
    assert len({first, second}) == 1
    assert not first < second
    assert not second < first
    assert str(second) == "CustomField:contact.PLAN__c"
    assert first != Address.parse("PermissionSet:Contact.Plan__c")
    assert first < Address.parse("CustomField:contact.Zip__c")


@pytest.mark.parametrize("kind", sorted({*TYPES, *RECORD_TYPES}))
def test_an_address_is_parsed_with_its_type_in_any_case(kind: str) -> None:
    assert {Address.parse(f"{name}:Contact").type for name in (kind, kind.lower(), kind.upper())} == {kind}
