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

# What a field holds in another plan. A field that is in neither table fails: somebody has to decide.
PLAN_COVERED: dict[str, Any] = {
    "target": replace(TARGET, org_id="00D000000000002EAA"),
    "environment": "sandbox",
    "api_version": "62.0",
    "changes": (CHANGE, Change(OTHER, None, number("B__c"))),
    "secrets": {"SECRET": "2"},
    "records_state": True,
    "moves": (Move(OTHER, FIELD),),  # what is renamed keeps its values
    "obsolete": (ObsoleteVersions(Address("Flow", "Appcues_contact"), (1, 2), (FIELD,)),),  # they are deleted
    "relay": RelayChange({"name": "Appcues"}, {"name": "Other"}),
}
PLAN_LEFT_OUT: dict[str, Any] = {
    "previous_flows": (FLOW,),  # what the config was; the changes that follow are in the changes
    "provenance": Provenance("2026-01-02T03:04:05Z", "abc", "https://example.com", {str(FIELD): ("a.yaml:1",)}),
    "left_state": Address("StaticResource", "Old_sfcode_state"),  # as the state: it follows from the name
    "project": "Acme",  # the name that the state records: every change of it is in the changes
    "config_digest": "config-2",  # another wording that asks for the same changes
    "state": Address("StaticResource", "Other_sfcode_state"),  # follows from the name, as every address does
    "fingerprints": {str(FIELD): "fingerprint-2"},  # what the changes start from is in them
    "refusals": (
        Refusal(FIELD, "exists", "adopt it"),
        Refusal(None, "too much", "do less"),
    ),  # a refused plan does nothing
    "warnings": ("Mind this.",),
    "mode": Mode.DESTROY,  # what it deletes is in the changes
    "kept": (number("C__c"),),  # what the changes leave alone
    "released": frozenset({OTHER}),  # the same: it stays as it is in the org
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
    "applied": number("A__c", 6),  # who moved, not what is done
    "moved_from": OTHER,  # the plan's moves have it
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
    turned = Component(FIELD.type, FIELD.full_name, dict(reversed(CHANGE.after.body.items())))
    same = replace(PLAN, changes=(replace(CHANGE, after=turned),))
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
    # A comment holds the digest of the plan that was reviewed, and another release may be installed when it is applied.
    assert changes_digest(PLAN) == "c3ff602fe130c78e86fed6397c93cb90aa6f81d90d2e03143e514300930af2e5"
    accented = replace(CHANGE, after=Component(FIELD.type, FIELD.full_name, {"label": "Größe"}))
    assert (
        changes_digest(replace(PLAN, changes=(accented,)))
        == "57cff48ae8cacb32426e5917b1933a0ad14f18174df43d7fc848e065cd307a08"
    )
