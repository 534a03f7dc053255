"""Quick deployments of a check: when they are used, when the package is deployed again, and their result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.apply import execute
from sfcode.apply.execute import ApplyResult, Execution
from sfcode.apply.lock import Lock
from sfcode.apply.package import package_digest
from sfcode.apply.quick_deploy import mark_of_check
from sfcode.apply.steps import Deploy, steps
from sfcode.errors import DeployFailed, OrgError, OrgUnreachable
from sfcode.metadata.component import Component
from sfcode.org.results import DeployMessage, DeployOptions, DeployResult
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan, Validation
from sfcode.plan.state import state_address
from tests.apply.scripted import ID, CountingLock, ScriptedOrg
from tests.plan.samples import TARGET, USER, number

MARK = Mark("me@example.com", "2026-03-18T12:00:00Z", "1f2e3d", "cafe")
CHECKED_BY = Validation(
    "0Af000000000009AAA",
    "",
    "RunSpecifiedTests",
    ("A", "B"),
    "beef",
    "ci@example.com",
    "2026-03-17T12:00:00Z",
    "aaaa",
)
CREATED = Change(number("A__c").address, None, number("A__c"))
NO_OPTIONS = DeployOptions()
DONE = DeployResult(ID, "Succeeded", done=True, success=True)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(TARGET, "production", "1", "63.0", state_address("Appcues"), changes or (CREATED,), {}, **more)


def checked(the_plan: Plan, **more: Any) -> Plan:
    """Return the plan with a check of its package."""
    step = next(step for step in steps(the_plan) if isinstance(step, Deploy))
    digest = package_digest(the_plan, step, mark_of_check(CHECKED_BY, MARK))
    return replace(the_plan, validation=replace(CHECKED_BY, package=digest, **more))


def run(
    org: ScriptedOrg,
    the_plan: Plan,
    options: DeployOptions = NO_OPTIONS,
    lock: Lock | None = None,
    **more: Any,
) -> tuple[ApplyResult, list[str]]:
    reports: list[str] = []
    result = Execution(
        the_plan,
        org,
        {},
        origins=(),
        mark=MARK,
        options=options,
        report=reports.append,
        lock=lock or Lock(),
        **more,  # type: ignore[arg-type]
    ).run()
    return result, reports


def test_a_plan_without_a_check_is_deployed_and_can_be_rolled_back_by_its_own_id() -> None:
    org, lock, recorded = ScriptedOrg([[DONE]]), CountingLock(), list[DeployResult]()
    result, reports = run(org, plan(), lock=lock, record=recorded.append)
    assert (result.deployments, result.apply_id, org.quick) == ((ID,), "cafe", [])
    assert reports == ["Deploying 1 component and the applied state (0Af000000000000001)"]
    assert lock.deployments == ["0Af000000000000001"]
    assert recorded == [DONE]


def test_a_checked_package_is_deployed_from_its_check_under_the_name_of_the_check() -> None:
    org, lock = ScriptedOrg([[DONE]]), CountingLock()
    result, reports = run(org, checked(plan()), lock=lock)
    assert (org.quick, org.sent) == ([CHECKED_BY.id], [])
    assert (result.deployments, result.apply_id) == ((ID,), "beef")
    assert reports == ["Deploying the checked package without running its tests again (0Af00000000000Q001)"]
    assert lock.deployments == ["0Af00000000000Q001"]


def test_only_the_first_package_is_deployed_from_the_check() -> None:
    flow = Component("Flow", "Appcues_contact", {"label": "F"})
    the_plan = plan(CREATED, Change(flow.address, flow, None))
    org = ScriptedOrg([[DONE], [DONE], [replace(DONE, id="0Af000000000002AAA")]])
    result, reports = run(org, checked(the_plan))
    assert org.quick == [CHECKED_BY.id]
    assert result.deployments == (ID, "0Af000000000002AAA")
    assert not [line for line in reports if "cannot be used" in line]


def test_a_record_that_is_written_first_does_not_prevent_a_quick_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[Change] = []
    monkeypatch.setattr(execute, "write_record", lambda _org, change, _ids: writes.append(change))
    renamed = Change(USER.address, USER, replace(USER, body={**USER.body, "LastName": "Relay"}))
    org = ScriptedOrg([[DONE]])
    run(org, checked(plan(CREATED, renamed)))
    assert (writes, org.quick, org.sent) == ([renamed], [CHECKED_BY.id], [])


def test_an_apply_without_a_step_cannot_be_rolled_back() -> None:
    unchanged = Change(number("A__c").address, number("A__c"), number("A__c"))
    result, _ = run(ScriptedOrg([]), plan(unchanged))
    assert (result.deployments, result.apply_id) == ((), "")


@pytest.mark.parametrize(
    ("the_plan", "options", "error", "reason", "tests"),
    [
        (
            replace(plan(), validation=replace(CHECKED_BY, package="another")),
            DeployOptions(),
            None,
            "the package differs from the one that the org checked",
            ("RunSpecifiedTests", ("A", "B")),
        ),
        (
            checked(plan()),
            DeployOptions(test_level="RunLocalTests"),
            None,
            "the requested tests differ from those that the check ran",
            ("RunLocalTests", ()),
        ),
        (
            checked(plan()),
            DeployOptions(test_level="RunSpecifiedTests", run_tests=("A",)),
            None,
            "the requested tests differ from those that the check ran",
            ("RunSpecifiedTests", ("A",)),
        ),
        (
            checked(plan()),
            DeployOptions(test_level="RunSpecifiedTests", run_tests=("A", "B")),
            OrgError("it is too old"),
            "it is too old",
            ("RunSpecifiedTests", ("A", "B")),
        ),
    ],
    ids=["package", "level", "tests", "refused"],
)
def test_a_check_that_cannot_be_used_is_replaced_by_a_deployment_with_tests(
    the_plan: Plan, options: DeployOptions, error: BaseException | None, reason: str, tests: tuple[str, tuple[str, ...]]
) -> None:
    org = ScriptedOrg([[DONE]], quick_error=error)
    result, reports = run(org, the_plan, options)
    assert reports[0] == f"The validated package cannot be used ({reason}); deploying the package again."
    assert [(sent_options.test_level, tuple(sent_options.run_tests)) for sent_options in org.sent] == [tests]
    assert result.apply_id == "cafe"


def test_the_same_tests_in_another_notation_are_the_same_tests() -> None:
    org = ScriptedOrg([[DONE]])
    run(org, checked(plan()), DeployOptions(test_level="RunSpecifiedTests", run_tests=("A", "B")))
    assert (len(org.quick), org.sent) == (1, [])


def test_a_lost_connection_starts_no_second_deployment() -> None:
    org = ScriptedOrg([], quick_error=OrgUnreachable("lost"))
    with pytest.raises(OrgUnreachable):
        run(org, checked(plan()))
    assert org.sent == []


def test_a_destroy_and_an_apply_that_deploys_nothing_cannot_be_rolled_back() -> None:
    deletion = Change(number("A__c").address, number("A__c"), None)
    result, _ = run(ScriptedOrg([[DONE]]), plan(deletion, mode=Mode.DESTROY))
    assert (result.deployments, result.apply_id) == ((ID,), "")
    rolled_back, _ = run(ScriptedOrg([[DONE]]), plan(deletion, mode=Mode.ROLLBACK))
    assert rolled_back.apply_id == "cafe"


def test_a_locked_setup_is_retried_for_the_lock_timeout() -> None:
    locked = DeployResult(ID, "Failed", done=True, success=False, error_status_code="ALREADY_IN_PROCESS")
    org = ScriptedOrg([[locked], [DONE]])
    result, _ = run(org, plan(), patience=60.0)
    assert (result.deployments, len(org.sent)) == ((ID,), 2)
    with pytest.raises(DeployFailed, match="Another setup change is running"):
        run(ScriptedOrg([[locked]]), plan())


def test_a_locked_setup_is_retried_for_the_lock_timeout_in_the_trial_too() -> None:
    locked = DeployResult(ID, "Failed", done=True, success=False, error_status_code="ALREADY_IN_PROCESS")
    flow = Component("Flow", "Appcues_contact", {"label": "F"})
    org = ScriptedOrg([[locked], [DONE], [DONE]])
    result, _ = run(org, plan(Change(flow.address, flow, None)), patience=60.0)
    assert [options.check_only for options in org.sent] == [True, True, False]
    assert len(result.deployments) == 1


def test_every_completed_step_is_reported_and_a_refusal_lists_those_of_metadata(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execute, "write_record", lambda *_: None)
    flow = Component("Flow", "Appcues_contact", {"label": "F"})
    renamed = Change(USER.address, USER, replace(USER, body={**USER.body, "LastName": "Relay"}))
    the_plan = plan(CREATED, renamed, Change(flow.address, flow, None))
    lines: list[str] = []
    failed = replace(DONE, id="0Af000000000002AAA", status="Failed", success=False)
    with pytest.raises(DeployFailed) as refused:
        run(ScriptedOrg([[DONE], [DONE], [failed]]), the_plan, done=lines.append)
    metadata = [f"deployment {ID}", "Flow:Appcues_contact: deactivated, 2 versions deleted"]
    assert lines == [f"{USER.address}: updated", *metadata]
    assert refused.value.message.split("Done before the deployment:\n")[1].splitlines() == [
        f"  - {line}" for line in metadata
    ]


def test_a_refused_package_is_recorded_and_ends_the_apply() -> None:
    message = DeployMessage("CustomField", "Contact.A__c", problem="bad value-0123456789abcdef", success=False)
    failed = DeployResult(ID, "Failed", done=True, success=False, failures=(message,))
    recorded: list[DeployResult] = []
    with pytest.raises(DeployFailed, match="CustomField:Contact.A__c: bad"):
        run(ScriptedOrg([[failed]]), plan(), record=recorded.append)
    assert [result.success for result in recorded] == [False]
