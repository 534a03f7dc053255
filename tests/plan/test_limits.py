"""A plan with more changes than the config allows is refused with the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.config.models import Environment
from sfcode.config.safety_models import Safety
from sfcode.plan.modes import Limits
from tests.plan.samples import SECRETS, USER, build, desired, number, observed

THERE = tuple(number(f"F{index}__c") for index in range(8))


def limited(project, *, keep, safety, own=None, allowed=None):
    """Plan with eight managed fields: keep the first ones with another precision, and delete the others."""
    project = replace(
        project,
        settings=project.settings.model_copy(update={"safety": Safety(**safety)}),
        target=Environment(org="local", safety=Safety(**(own or {}))),
    )
    fields = [number(f"F{index}__c", precision=4) for index in range(keep)]
    snapshot = observed(*THERE, applied=THERE)
    plan = build(project, desired(*fields, records=(USER,)), snapshot, secrets=SECRETS, limits=allowed or Limits())
    return [str(refusal) for refusal in plan.refusals]


def test_without_a_limit_any_number_of_changes_passes(project):
    assert limited(project, keep=0, safety={}) == []


@pytest.mark.parametrize(("limit", "figure"), [(3, "3"), ("3", "3"), ("40%", "40%, which is 3"), (0, "0")])
def test_more_than_allowed_is_refused_with_both_figures_and_the_option_that_allows_it(project, limit, figure):
    setting = "safety.max_destroy in sfcode.yaml allows"
    assert limited(project, keep=4, safety={"max_destroy": limit}) == [
        f"this plan would destroy 4 components where sfcode manages 8, and {setting} {figure}; if this is intended, pass --max-destroy 4"
    ]


@pytest.mark.parametrize("limit", [4, "50%", "100%"])
def test_as_many_changes_as_allowed_pass(project, limit):
    assert limited(project, keep=4, safety={"max_destroy": limit, "max_change": limit}) == []


def test_changes_have_a_limit_of_their_own(project):
    (refusal,) = limited(project, keep=5, safety={"max_destroy": 5, "max_change": 4})
    assert refusal.startswith("this plan would change 5 components where sfcode manages 8, and safety.max_change in")


def test_an_environment_may_have_lower_or_higher_limits(project):
    (refusal,) = limited(project, keep=4, safety={"max_destroy": 8}, own={"max_destroy": 1})
    assert "environments.local.safety.max_destroy in sfcode.yaml allows 1;" in refusal
    assert limited(project, keep=4, safety={"max_destroy": 1}, own={"max_destroy": 8}) == []
    (general,) = limited(project, keep=4, safety={"max_destroy": 1}, own={"max_change": 8})
    assert " safety.max_destroy in sfcode.yaml allows 1;" in general


def test_an_option_allows_more_changes_in_one_plan(project):
    assert limited(project, keep=4, safety={"max_destroy": 1}, allowed=Limits(max_destroy="4")) == []
    (refusal,) = limited(project, keep=4, safety={"max_destroy": 1}, allowed=Limits(max_destroy="3"))
    assert "and --max-destroy allows 3;" in refusal
