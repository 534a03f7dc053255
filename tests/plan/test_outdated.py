"""A plan is applied only if environment, org, config, secrets and all observed components are unchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.plan.plan import Plan
from sfcode.plan.planner import PlanResult, raise_if_outdated
from sfcode.plan.snapshot import OrgSnapshot
from tests.plan.samples import SECRETS, TARGET, build, desired, number, observed

WANTED = desired(number("A__c", 4), number("B__c"), number("C__c"))
SEEN = (number("A__c"), number("B__c"))


def make_result(project: Project, snapshot: OrgSnapshot, secrets: dict[str, str] = SECRETS) -> PlanResult:
    return PlanResult(build(project, WANTED, snapshot, secrets=secrets), WANTED, snapshot)


@pytest.fixture
def plan(project: Project) -> Plan:
    return make_result(project, observed(*SEEN)).plan


def refusal(plan: Plan, project: Project, now: PlanResult) -> str:
    with pytest.raises(Refused) as refused:
        raise_if_outdated(plan, project, now)
    assert refused.value.hint == "Make a new plan: sfcode plan --out FILE"
    return refused.value.message


def test_an_unchanged_org_and_config_pass(plan: Plan, project: Project) -> None:
    raise_if_outdated(plan, project, make_result(project, observed(*SEEN)))


def test_another_environment_is_refused(plan: Plan, project: Project) -> None:
    other_project = replace(project, environment="production")
    assert (
        refusal(plan, other_project, make_result(project, observed(*SEEN)))
        == "The plan is for environment local, not production."
    )


def test_another_org_is_refused_before_other_differences(plan: Plan, project: Project) -> None:
    elsewhere = replace(observed(number("A__c")), target=replace(TARGET, org_id="00D000000000002EAA", name="Southwind"))
    assert refusal(plan, project, make_result(project, elsewhere)) == (
        "The plan is for org 00D000000000001EAA (Northwind Traders), not 00D000000000002EAA (Southwind)."
    )


@pytest.mark.parametrize("field", ["name", "instance_url", "username"])
def test_the_same_org_under_another_name_is_the_same(plan: Plan, project: Project, field: str) -> None:
    raise_if_outdated(
        plan,
        project,
        make_result(project, replace(observed(*SEEN), target=replace(TARGET, **{field: "https://other.example"}))),
    )


def test_another_config_is_refused(plan: Plan, project: Project) -> None:
    other_project = replace(project, digest="digest-2")
    assert (
        refusal(plan, other_project, make_result(project, observed(*SEEN)))
        == "The config has changed since the plan was made."
    )


def test_a_plan_without_a_config_is_valid_with_any_config(plan: Plan, project: Project) -> None:
    raise_if_outdated(
        replace(plan, config_digest=""), replace(project, digest="2"), make_result(project, observed(*SEEN))
    )


def test_secrets_of_other_values_are_named_in_order(project: Project) -> None:
    before, after = {"B": "1" * 32, "A": "2" * 32, "C": "3" * 32}, {"B": "x" * 32, "A": "y" * 32, "C": "3" * 32}
    plan = make_result(project, observed(*SEEN), before).plan
    assert refusal(plan, project, make_result(project, observed(*SEEN), after)) == (
        "Secrets have changed since the plan was made: A, B."
    )


def test_a_secret_that_the_plan_does_not_use_is_ignored(project: Project) -> None:
    plan = make_result(project, observed(*SEEN), {}).plan
    raise_if_outdated(plan, project, make_result(project, observed(*SEEN)))


def test_changes_of_the_org_are_listed(plan: Plan, project: Project) -> None:
    now = make_result(project, observed(number("A__c", 9), number("C__c")))
    assert refusal(plan, project, now) == (
        "The org has changed since the plan was made:"
        "\n  - CustomField:Contact.A__c was changed"
        "\n  - CustomField:Contact.B__c is gone"
        "\n  - CustomField:Contact.C__c exists now"
    )
