"""The steps of an apply in a real local org: their order, their reports, and where an error stops them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.apply.execute import ApplyResult, Execution
from sfcode.apply.lock import Lock
from sfcode.apply.session import make_mark
from sfcode.config.project import Project
from sfcode.errors import DeployFailed, Refused
from sfcode.local import LocalOrg, serve
from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.gather import read_applied
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.planner import make_plan
from tests.apply.scripted import CountingLock
from tests.e2e.org import component, opened
from tests.generate.projects import project as generated_project

SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "0123456789abcdef0123456789abcdef"}
SCORE = Address("CustomField", "Contact.Appcues_NPS_Score__c")
MAPPING = {
    "object": "Contact",
    "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    "direction": "to_salesforce",
    "to_salesforce": {"nps": {"score": {"field": "Appcues_NPS_Score__c", "create": True}}},
}


@dataclass
class ExecutionCase:
    """A project, its org, and the reports of an apply."""

    project: Project
    served: LocalOrg
    org: Org
    reports: list[str] = field(default_factory=list)
    recorded: list[DeployResult] = field(default_factory=list)

    def execute(
        self, *, lock: Lock | None = None, change: Callable[[Plan], Plan] = lambda plan: plan, **request: Any
    ) -> ApplyResult:
        result = make_plan(self.project, self.org, SECRETS, PlanRequest(**request))
        return Execution(
            change(result.plan),
            self.org,
            SECRETS,
            origins=result.desired.origins,
            mark=make_mark(self.project, result),
            options=DeployOptions(),
            report=self.reports.append,
            lock=lock or CountingLock(),
            record=self.recorded.append,
        ).run()

    def users(self) -> list[str]:
        rows = self.org.query("SELECT Username FROM User WHERE Username = 'appcues.integration@example.com'")
        return [row["Username"] for row in rows]

    def messages(self) -> list[str]:
        """Return the reported steps, without IDs and progress."""
        return [re.sub(r"0Af\w+", "ID", line) for line in self.reports if not line.startswith("  ")]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[ExecutionCase]:
    with serve(tmp_path) as served, opened(served) as org:
        yield ExecutionCase(generated_project({"contact": MAPPING}), served, org)


def test_each_step_is_confirmed_and_reported_in_its_order(case: ExecutionCase) -> None:
    lock = CountingLock()
    result = case.execute(lock=lock)
    user = case.project.settings.integration_user
    reports = case.messages()
    assert reports[0] == f"User:{user.username}: created"
    assert reports[1] == f"PermissionSetLicenseAssign:{user.permission_set_license}/{user.username}: created"
    assert re.fullmatch(r"Deploying \d+ components and the applied state \(ID\)", reports[2]), reports
    assert reports[3:] == [f"PermissionSetAssignment:Appcues_Integration/{user.username}: created"]
    assert lock.confirmed == 5, "the records that are about to be made are noted first"
    assert lock.deployments == list(result.deployments) == [deployed.id for deployed in case.recorded]
    assert result.apply_id


def test_a_refused_plan_executes_no_step(case: ExecutionCase) -> None:
    lock = CountingLock()
    with pytest.raises(Refused, match="This plan is refused"):
        case.execute(lock=lock, change=lambda plan: replace(plan, refusals=(Refusal(None, "r", "h"),)))
    assert (lock.confirmed, case.reports, case.users()) == (0, [], [])


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_lost_lock_stops_the_apply_before_the_next_step(case: ExecutionCase, steps: int) -> None:
    with pytest.raises(Refused, match="taken over the lock"):
        case.execute(lock=CountingLock(steps))
    assert len(case.messages()) == steps - 1, "the first step only notes what is about to be made"
    assert (component(case.served, SCORE) is not None) is (steps == 4)
    case.execute()
    assert make_plan(case.project, case.org, SECRETS).plan.is_empty, "the next apply completes it"


def test_a_second_apply_of_records_alone_deploys_nothing_and_can_be_rolled_back(case: ExecutionCase) -> None:
    first = case.execute()
    name = f"Appcues_Integration/{case.project.settings.integration_user.username}"
    (row,) = case.org.query(
        "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Appcues_Integration' LIMIT 1"
    )
    case.org.delete("PermissionSetAssignment", row["Id"])
    case.reports.clear()
    result = case.execute()
    assert case.messages() == [f"PermissionSetAssignment:{name}: created"]
    assert result.deployments == ()
    history = read_applied(case.org, case.project).history
    assert [past.id for past in history] == [result.apply_id, first.apply_id]
    assert history[0].before == {Address("PermissionSetAssignment", name): None}


def test_a_destroy_deletes_dependents_first_and_cannot_be_rolled_back(case: ExecutionCase) -> None:
    case.execute()
    case.reports.clear()
    result = case.execute(mode=Mode.DESTROY, allow_delete=(SCORE,))
    reports = case.messages()
    user = case.project.settings.integration_user.username
    unassigned = reports.index(f"PermissionSetAssignment:Appcues_Integration/{user}: deleted")
    deployed = next(index for index, line in enumerate(reports) if line.startswith("Deploying"))
    assert unassigned < deployed < reports.index(f"User:{user}: updated")
    assert result.deployments
    assert result.apply_id == ""
    assert component(case.served, SCORE) is None


def test_a_failed_deployment_is_recorded_and_stops_the_apply(case: ExecutionCase) -> None:
    def spoil(plan: Plan) -> Plan:
        changes = [
            replace(change, after=replace(change.after, body={**change.after.body, "precision": 99}))
            if change.address == SCORE and change.after
            else change
            for change in plan.changes
        ]
        return replace(plan, changes=tuple(changes))

    with pytest.raises(DeployFailed):
        case.execute(change=spoil)
    assert [deployed.success for deployed in case.recorded] == [False]
    assert not [line for line in case.messages() if line.startswith("PermissionSetAssignment")]
