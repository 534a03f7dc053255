"""The trial of all steps: the versions of flows that its package deletes, and how long it waits for another deployment."""

from __future__ import annotations

import pytest

from sfcode.apply.deploy import LOCKED, PAUSE
from sfcode.apply.steps import Trial
from sfcode.apply.trial import run_trial
from sfcode.metadata.component import Address
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.plan import ObsoleteVersions
from tests.apply.scripted import ID, ScriptedOrg
from tests.apply.test_check import DONE, plan
from tests.apply.test_package import files

FLOW = Address("Flow", "Appcues_contact")
BUSY = DeployResult(ID, "Failed", done=True, success=False, error_status_code=LOCKED, error_message="locked")


def run(org: ScriptedOrg, step: Trial, **options: float) -> DeployResult:
    return run_trial(plan(), step, org, {}, options=DeployOptions(), report=lambda _: None, **options)  # type: ignore[arg-type]


def read_deletions(org: ScriptedOrg) -> list[str]:
    contents = files(org.packages[-1])
    text = next(text.decode() for name, text in contents.items() if name.startswith("destructiveChanges"))
    return [f"Appcues_contact-{number}" for number in range(1, 5) if f"Appcues_contact-{number}<" in text]


@pytest.mark.parametrize(("numbers", "deleted"), [((1,), [1]), ((1, 2), [1, 2]), ((2, 4), [2])])
def test_only_the_old_versions_that_the_org_still_has_are_deleted(numbers: tuple[int, ...], deleted: list[int]) -> None:
    org = ScriptedOrg([[DONE]])
    run(org, Trial((), (), (), (ObsoleteVersions(FLOW, numbers, ()),)))
    assert read_deletions(org) == [f"Appcues_contact-{number}" for number in deleted]


def test_all_versions_of_a_deleted_flow_are_deleted() -> None:
    org = ScriptedOrg([[DONE]])
    run(org, Trial((), (), (FLOW,), ()))
    assert read_deletions(org) == ["Appcues_contact-1", "Appcues_contact-2"]


def test_a_trial_waits_for_another_deployment_as_long_as_the_apply() -> None:
    step = Trial((), (Address("CustomField", "Contact.A__c"),), (), ())
    assert not run(ScriptedOrg([[BUSY], [DONE]]), step).success
    org = ScriptedOrg([[BUSY], [DONE]])
    assert run(org, step, patience=60.0).success
    assert org.sent == [DeployOptions(check_only=True)] * 2
    assert org.slept == [PAUSE]
