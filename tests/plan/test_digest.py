"""The digest of a reviewed plan, field by field."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.data_flows import FlowOfData
from sfcode.plan.digest import changes_digest
from sfcode.plan.document import load, save
from sfcode.plan.foreign import Preserved
from sfcode.plan.modes import Mode
from sfcode.plan.plan import ObsoleteVersions, Plan, Refusal, Validation
from sfcode.plan.provenance import Provenance
from sfcode.plan.relay_change import RelayChange
from sfcode.plan.snapshot import Move, Target
from tests.plan.samples import TARGET, number

FIELD = Address("CustomField", "Contact.A__c")
OTHER = Address("CustomField", "Contact.B__c")
CHANGE = Change(FIELD, number("A__c"), number("A__c", 4))
PLAN = Plan(
    TARGET,
    "production",
    "config-1",
    "63.0",
    Address("StaticResource", "Appcues_sfcode_state"),
    (CHANGE,),
    {str(FIELD): "fingerprint-1"},
    secrets={"SECRET": "1"},
)
FLOW = FlowOfData("contact", "Contact", "user", (("Title", "role"),), ("Flow Appcues_contact",), (), "Relay")
CHECKED = Validation("0Af000000000001", "digest", "RunLocalTests", ("A", "B"), "1f2e", "a@x.example", "now", None)

# A different value for each field. A field that is in neither table fails the test, so that somebody decides whether
# the digest includes it.
PLAN_COVERED: dict[str, Any] = {
    "target": replace(TARGET, org_id="00D000000000002EAA"),
    "environment": "sandbox",
    "api_version": "62.0",
    "changes": (CHANGE, Change(OTHER, None, number("B__c"))),
    "secrets": {"SECRET": "2"},
    "records_state": True,
    "moves": (Move(OTHER, FIELD),),  # renamed components keep their values
    "obsolete": (ObsoleteVersions(Address("Flow", "Appcues_contact"), (1, 2), (FIELD,)),),  # which are deleted
    "relay": RelayChange({"name": "Appcues"}, {"name": "Other"}),
}
PLAN_LEFT_OUT: dict[str, Any] = {
    "previous_flows": (FLOW,),  # the resulting changes are in `changes`
    "provenance": Provenance("2026-01-02T03:04:05Z", "abc", "https://example.com", {str(FIELD): ("a.yaml:1",)}),
    "left_state": Address("StaticResource", "Old_sfcode_state"),  # determined by the name of the project
    "project": "Acme",  # the resulting changes are in `changes`
    "config_digest": "config-2",  # a config with another text but the same changes
    "state": Address("StaticResource", "Other_sfcode_state"),  # determined by the name of the project
    "fingerprints": {str(FIELD): "fingerprint-2"},  # the observed values of the changes are in `changes`
    "refusals": (
        Refusal(FIELD, "exists", "adopt it"),
        Refusal(None, "too much", "do less"),
    ),  # a plan with refusals is not applied
    "warnings": ("Mind this.",),
    "mode": Mode.DESTROY,  # the deletions are in `changes`
    "kept": (number("C__c"),),  # components that the plan does not change
    "released": frozenset({OTHER}),  # components that the plan does not change
    "preserved": (Preserved("Workflow:Contact", {"WorkflowRule": 2}),),
    "validation": CHECKED,
    "flows": (FLOW,),
}
TARGET_COVERED = {"org_id": "00D000000000002EAA"}
TARGET_LEFT_OUT = {"name": "Renamed", "instance_url": "https://moved.example", "username": "colleague@example.com"}
CHANGE_COVERED: dict[str, Any] = {
    "address": OTHER,
    "before": number("A__c", 5),
    "after": number("A__c", 5),
    "adopted": True,
    "replaced": True,
}
CHANGE_LEFT_OUT: dict[str, Any] = {
    "applied": number("A__c", 6),  # only determines the shown cause of a change
    "moved_from": OTHER,  # the moves of the plan include it
}


def names(type_: type[Any]) -> list[str]:
    return [field.name for field in fields(type_)]


def check(name: str, other_plan: Plan, covered: dict[str, Any]) -> None:
    assert (changes_digest(other_plan) != changes_digest(PLAN)) is (name in covered)


@pytest.mark.parametrize("name", names(Plan))
def test_each_field_of_a_plan_is_covered_or_left_out_on_purpose(name: str) -> None:
    value = {**PLAN_COVERED, **PLAN_LEFT_OUT}[name]
    assert value != getattr(PLAN, name)
    check(name, replace(PLAN, **{name: value}), PLAN_COVERED)


@pytest.mark.parametrize("name", names(Target))
def test_each_field_of_the_org_is_covered_or_left_out_on_purpose(name: str) -> None:
    value = {**TARGET_COVERED, **TARGET_LEFT_OUT}[name]
    check(name, replace(PLAN, target=replace(TARGET, **{name: value})), TARGET_COVERED)


@pytest.mark.parametrize("name", names(Change))
def test_each_field_of_a_change_is_covered_or_left_out_on_purpose(name: str) -> None:
    value = {**CHANGE_COVERED, **CHANGE_LEFT_OUT}[name]
    check(name, replace(PLAN, changes=(replace(CHANGE, **{name: value}),)), CHANGE_COVERED)


def test_the_action_of_a_change_is_part_of_the_digest() -> None:
    creation, deletion = Change(FIELD, None, number("A__c")), Change(FIELD, number("A__c"), None)
    digests = {changes_digest(replace(PLAN, changes=(change,))) for change in (CHANGE, creation, deletion)}
    assert len(digests) == 3


def test_the_order_of_changes_is_part_of_the_digest_and_no_ops_are_not() -> None:
    second = Change(OTHER, None, number("B__c"))
    idle = Change(OTHER, number("B__c"), number("B__c"))
    forth, back = replace(PLAN, changes=(CHANGE, second)), replace(PLAN, changes=(second, CHANGE))
    assert changes_digest(forth) != changes_digest(back)
    assert changes_digest(replace(PLAN, changes=(CHANGE, idle))) == changes_digest(PLAN)


def test_the_order_of_keys_in_a_body_does_not_change_the_digest() -> None:
    assert CHANGE.after is not None
    reversed_field = Component(FIELD.type, FIELD.full_name, dict(reversed(CHANGE.after.body.items())))
    same = replace(PLAN, changes=(replace(CHANGE, after=reversed_field),))
    assert changes_digest(same) == changes_digest(PLAN)


@pytest.mark.parametrize("name", names(Plan))
def test_each_field_of_a_plan_is_in_its_file(name: str, tmp_path: Any) -> None:
    plan = replace(PLAN, **{name: {**PLAN_COVERED, **PLAN_LEFT_OUT}[name]})
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan
    assert changes_digest(load(tmp_path / "plan.json")) == changes_digest(plan)


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_is_left_out_and_in_the_file_but_for_rollbacks_which_are_never_saved(
    mode: Mode, tmp_path: Any
) -> None:
    plan = replace(PLAN, mode=mode)
    assert changes_digest(plan) == changes_digest(PLAN)
    if mode is not Mode.ROLLBACK:
        save(plan, tmp_path / "plan.json")
        assert load(tmp_path / "plan.json") == plan


def test_each_field_of_a_change_is_in_the_file(tmp_path: Any) -> None:
    change = Change(
        FIELD, number("A__c"), number("A__c", 4), number("A__c", 6), adopted=True, replaced=True, moved_from=OTHER
    )
    assert all(getattr(change, name) for name in names(Change))
    plan = replace(PLAN, changes=(change,))
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan


def test_the_same_plan_has_the_same_digest_in_every_release() -> None:
    # A comment has the digest of the reviewed plan, and the plan may be applied with another release of sfcode.
    assert changes_digest(PLAN) == "c3ff602fe130c78e86fed6397c93cb90aa6f81d90d2e03143e514300930af2e5"
    accented = replace(CHANGE, after=Component(FIELD.type, FIELD.full_name, {"label": "Größe"}))
    assert (
        changes_digest(replace(PLAN, changes=(accented,)))
        == "57cff48ae8cacb32426e5917b1933a0ad14f18174df43d7fc848e065cd307a08"
    )
