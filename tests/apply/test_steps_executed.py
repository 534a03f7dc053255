"""Several steps of one apply: the check of the lock before each, and the report of a failure in the middle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.apply import execute
from sfcode.apply.execute import ApplyResult, Execution, describe_package
from sfcode.apply.lock import Lock
from sfcode.apply.steps import Deploy
from sfcode.errors import DeployFailed, OrgError, OrgUnreachable, Refused
from sfcode.metadata.component import Component
from sfcode.metadata.package import read
from sfcode.org.results import DeployMessage, DeployOptions, DeployResult, TestRun
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import Move
from sfcode.plan.state import Applied, state_address
from tests.apply.scripted import ID, CountingLock, ScriptedOrg
from tests.apply.test_package import files
from tests.plan.samples import TARGET, USER, number

FLOW = Component("Flow", "Appcues_contact", {"label": "F"})
A, B = number("A__c"), number("B__c")
CREATED, FLOW_GONE, FIELD_GONE = (
    Change(A.address, None, A),
    Change(FLOW.address, FLOW, None),
    Change(B.address, B, None),
)
SECOND = "0Af000000000002AAA"
DONE = DeployResult(ID, "Succeeded", done=True, success=True)
FAILED = DeployResult(
    SECOND,
    "Failed",
    True,
    False,
    failures=(DeployMessage("CustomField", "Contact.B__c", problem="in use", success=False),),
)


DEFAULTS = DeployOptions()


def run(
    org: ScriptedOrg,
    *changes: Change,
    lock: Lock | None = None,
    options: DeployOptions = DEFAULTS,
    applied: Applied | None = None,
    **more: Any,
) -> tuple[ApplyResult, list[str]]:
    plan = Plan(TARGET, "production", "1", "63.0", state_address("Appcues"), changes, {}, **more)
    reports: list[str] = []
    result = Execution(
        plan,
        org,  # type: ignore[arg-type]
        {},
        origins=(),
        mark=Mark("me", "now", None, "cafe", applied=applied or Applied()),
        options=options,
        report=reports.append,
        lock=lock or Lock(),
    ).run()
    return result, reports


def test_the_deletion_of_a_flow_is_validated_executed_and_followed_by_other_deletions() -> None:
    org, lock = ScriptedOrg([[DONE], [DONE], [replace(DONE, id=SECOND)]]), CountingLock()
    result, reports = run(org, CREATED, FLOW_GONE, FIELD_GONE, lock=lock)
    assert [options.check_only for options in org.sent] == [True, False, False]
    assert org.tooled == ["update FlowDefinition 300", "delete Flow 3012", "delete Flow 3011"]
    assert result.deployments == (ID, SECOND)
    assert lock.confirmed == 4
    assert "Flow:Appcues_contact: deactivated, 2 versions deleted" in reports


def test_a_refused_validation_changes_nothing() -> None:
    org = ScriptedOrg([[FAILED]])
    with pytest.raises(DeployFailed, match="no metadata was changed"):
        run(org, CREATED, FLOW_GONE, FIELD_GONE)
    assert (len(org.sent), org.tooled) == (1, [])


def test_a_failed_step_lists_the_completed_ones() -> None:
    with pytest.raises(DeployFailed) as failed:
        run(ScriptedOrg([[DONE], [DONE], [FAILED]]), CREATED, FLOW_GONE, FIELD_GONE)
    assert failed.value.message.endswith(
        f"Done before the deployment:\n  - deployment {ID}\n  - Flow:Appcues_contact: deactivated, 2 versions deleted"
    )
    assert "it changed nothing" in failed.value.message


@pytest.mark.parametrize(("steps", "sent", "tooled"), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 2, 3)])
def test_a_lost_lock_stops_the_steps_before_the_next_one(steps: int, sent: int, tooled: int) -> None:
    org = ScriptedOrg([[DONE], [DONE], [DONE]])
    with pytest.raises(Refused, match="taken over the lock"):
        run(org, CREATED, FLOW_GONE, FIELD_GONE, lock=CountingLock(steps))
    assert (len(org.sent), len(org.tooled)) == (sent, tooled)


def test_a_refused_plan_starts_no_step() -> None:
    org, lock = ScriptedOrg([]), CountingLock()
    with pytest.raises(Refused, match="This plan is refused"):
        run(org, CREATED, lock=lock, refusals=(Refusal(None, "r", "h"),))
    assert (lock.confirmed, org.sent) == (0, [])


@pytest.mark.parametrize(
    ("sandbox", "level", "status"),
    [(True, None, "Active"), (True, "NoTestRun", "Active"), (True, "RunLocalTests", "Draft"), (False, None, "Draft")],
)
def test_flows_are_deployed_as_drafts_if_tests_may_run(sandbox: bool, level: str | None, status: str) -> None:
    flow = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
    org = ScriptedOrg([[DONE]], sandbox=sandbox)
    run(org, Change(flow.address, None, flow), options=DeployOptions(test_level=level))
    statuses = {component.body["status"] for component in read(files(org.packages[0])) if component.type == "Flow"}
    assert statuses == {status}


def test_an_activation_is_retried_after_a_lost_response_and_reported_after_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
    answers: list[BaseException | None] = [OrgUnreachable("no answer"), None]

    def update(_self: ScriptedOrg, *_: object) -> None:
        if answer := answers.pop(0):
            raise answer

    monkeypatch.setattr(ScriptedOrg, "tooling_update", update)
    assert (
        "Flow:Appcues_contact: activated"
        in run(ScriptedOrg([[DONE]], active="3011"), Change(flow.address, None, flow))[1]
    )
    answers[:] = [OrgError("no right", code="INSUFFICIENT_ACCESS")]
    with pytest.raises(OrgError, match="is deployed, but not activated: no right") as failed:
        run(ScriptedOrg([[DONE]], active="3011"), Change(flow.address, None, flow))
    assert "sfcode apply" in failed.value.hint


def test_coverage_warnings_are_reported_after_a_success_too() -> None:
    tests = TestRun(1, 0, coverage_warnings=("To_Relay: Test coverage is 80%",))
    _, reports = run(ScriptedOrg([[replace(DONE, tests=tests)]]), CREATED)
    assert "  Test coverage: To_Relay: Test coverage is 80%" in reports


@pytest.mark.parametrize(
    ("components", "deleted", "words"),
    [
        (0, 0, "the applied state"),
        (1, 0, "1 component and the applied state"),
        (0, 1, "1 component and the applied state"),
        (2, 3, "5 components and the applied state"),
    ],
)
def test_a_deployment_is_reported_with_its_number_of_components(components: int, deleted: int, words: str) -> None:
    assert describe_package(Deploy((A,) * components, (B.address,) * deleted, ())) == words


class TestStepsWithoutADeployment:
    """Their requests are tested in test_records.py and test_rename.py, so only the calls are recorded here."""

    @pytest.fixture
    def calls(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        calls: list[Any] = []
        for name in ("write_record", "write_state", "delete_state", "rename"):

            def record(_org: object, *arguments: Any, name: str = name, **options: Any) -> None:
                calls.append((name, arguments[0], options))

            monkeypatch.setattr(execute, name, record)
        return calls

    @pytest.mark.parametrize("applied", [Applied(), Applied(project="Appcues")])
    def test_a_planned_user_is_recorded_in_the_state_first(self, calls: list[Any], applied: Applied) -> None:
        change = Change(USER.address, None, USER)
        run(ScriptedOrg([[DONE]]), change, CREATED, applied=applied)
        assert calls == [
            ("write_state", state_address("Appcues"), {"first": applied == Applied()}),
            ("write_record", change, {}),
        ]

    def test_components_are_renamed_before_the_deployment(self, calls: list[Any]) -> None:
        move = Move(number("Former__c").address, A.address)
        _, reports = run(
            ScriptedOrg([[DONE], [DONE]]), replace(CREATED, before=A, moved_from=move.former), moves=(move,)
        )
        assert calls[-1] == ("rename", (move,), {})
        assert reports[1] == f"{move.former}: renamed to {A.full_name}"

    def test_the_state_is_deleted_after_the_last_record(self, calls: list[Any]) -> None:
        inactive = replace(USER, body={**USER.body, "IsActive": False})
        deactivated = Change(USER.address, USER, inactive)
        run(ScriptedOrg([[DONE]]), deactivated, FIELD_GONE, mode=Mode.DESTROY)
        assert calls == [("write_record", deactivated, {}), ("delete_state", state_address("Appcues"), {})]
