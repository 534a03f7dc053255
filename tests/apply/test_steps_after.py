"""The manual steps after an apply, and their order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.apply.next_steps import ROLL_OUT, list_steps, next_steps, steps_after
from sfcode.metadata.component import Component
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.relay_change import RelayChange
from tests.plan.samples import SECRETS, build, desired, number, observed

A = number("A__c")
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Old", {"name": "Old"})


@pytest.fixture
def plan(project):
    return build(project, desired(A), observed(), secrets=SECRETS)


def test_an_apply_that_changes_something_is_followed_by_the_steps_in_appcues(project, plan):
    assert steps_after(project, plan) == next_steps(project) != ""


def test_steps_that_an_earlier_apply_printed_are_not_repeated(project, plan):
    every = list_steps(project)
    assert steps_after(project, plan, [step.digest for step in every]) == ""
    (new, *printed) = every
    assert steps_after(project, plan, [step.digest for step in printed]) == f"{new.section}\n{new.text}"


def test_an_apply_that_only_records_the_state_prints_no_steps(project):
    recording = build(project, desired(A), observed(A), secrets=SECRETS, adopt=[A.address])
    assert not recording.is_empty
    assert steps_after(project, recording) == ""


def test_a_destroy_prints_no_steps(project, plan):
    assert steps_after(project, replace(plan, mode=Mode.DESTROY)) == ""


def test_after_a_move_the_integration_is_deactivated_before_there_is_a_webhook(project, plan):
    deletion = Change(MESSAGE.address, MESSAGE, None, replaced=True)
    text = steps_after(project, replace(plan, changes=(*plan.changes, deletion)))
    assert text.index("Deactivate Integration") < text.index("Only then create the webhook")
    assert text.endswith(next_steps(project))
    assert "https://relay.example.com/readyz" in text


@pytest.mark.parametrize(
    ("change", "is_rolled_out"),
    [
        pytest.param(RelayChange({"rate": 1}, {"rate": 2}), True, id="another config"),
        pytest.param(RelayChange({"rate": 1}, {"rate": 1}), False, id="the same config"),
        pytest.param(RelayChange(None, {"rate": 2}), False, id="the first config"),
        pytest.param(RelayChange({"rate": 1}, None), False, id="no mapping uses the relay"),
        pytest.param(None, False, id="a plan without the relay"),
    ],
)
def test_a_change_of_the_relays_config_has_to_reach_the_relay(project, change, is_rolled_out):
    plan = replace(build(project, desired(A), observed(A, applied=(A,)), secrets=SECRETS), relay=change)
    expected = ROLL_OUT.format(digest=change.digests[1]) if is_rolled_out else ""
    assert steps_after(project, plan) == expected
