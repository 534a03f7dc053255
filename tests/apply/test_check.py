"""A check of a plan: what it sends, what it reports, and when its deployment can be reused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.apply.check import CheckResult, check
from sfcode.apply.package import package_digest
from sfcode.apply.steps import Deploy, steps
from sfcode.errors import DeployFailed
from sfcode.metadata.component import Component
from sfcode.metadata.package import read
from sfcode.org.results import DeployMessage, DeployOptions, DeployResult
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan, Validation
from sfcode.plan.snapshot import Move
from sfcode.plan.state import state_address
from tests.apply.scripted import ID, ScriptedOrg
from tests.apply.test_package import files
from tests.plan.samples import TARGET, USER, number

MARK = Mark("me@example.com", "2026-03-18T12:00:00Z", "1f2e3d", "cafe")
MESSAGE = Component("WorkflowOutboundMessage", "Contact.M", {"integrationUser": USER.full_name, "name": "M"})
CREATED = Change(number("A__c").address, None, number("A__c"))
NOTE = "no Apex test ran, so that no quick deployment is possible"
DONE = DeployResult(ID, "Succeeded", done=True, success=True, check_only=True)


def plan(*changes: Change) -> Plan:
    return Plan(TARGET, "production", "1", "63.0", state_address("Appcues"), changes, {})


def run(org: ScriptedOrg, the_plan: Plan, record: Any = lambda _: None, **options: Any) -> CheckResult:
    return check(
        the_plan,
        org,  # type: ignore[arg-type]
        {},
        origins=(),
        mark=MARK,
        options=DeployOptions(**options),
        report=lambda _: None,
        record=record,
    )


def test_a_check_deploys_nothing_and_runs_the_requested_tests() -> None:
    org = ScriptedOrg([[DONE]])
    run(org, plan(CREATED), test_level="RunSpecifiedTests", run_tests=("A",))
    assert org.sent == [DeployOptions(check_only=True, test_level="RunSpecifiedTests", run_tests=("A",))]


@pytest.mark.parametrize(("sandbox", "status"), [(True, "Active"), (False, "Draft")])
def test_a_check_deploys_an_active_flow_as_the_apply_does(sandbox: bool, status: str) -> None:
    flow = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
    org = ScriptedOrg([[DONE]], sandbox=sandbox)
    run(org, plan(Change(flow.address, None, flow)))
    components = {component.address: component for component in read(files(org.packages[0]))}
    assert components[flow.address].body["status"] == status


def test_a_check_of_a_plan_without_a_deployment_sends_no_request() -> None:
    org = ScriptedOrg([])
    assert run(org, plan(Change(USER.address, None, USER))) == CheckResult()
    assert org.sent == []


def test_a_check_records_its_result_and_raises_on_a_failure() -> None:
    message = DeployMessage("CustomField", "Contact.A__c", problem="bad", success=False)
    failed = replace(DONE, status="Failed", success=False, failures=(message,))
    recorded: list[DeployResult] = []
    with pytest.raises(DeployFailed, match=r"CustomField:Contact.A__c: bad"):
        run(ScriptedOrg([[failed]]), plan(CREATED), recorded.append)
    run(ScriptedOrg([[DONE]]), plan(CREATED), recorded.append)
    assert recorded == [failed, DONE]


@pytest.mark.parametrize(
    ("level", "notes"), [(None, ()), ("NoTestRun", ()), ("RunLocalTests", (NOTE,)), ("RunAllTestsInOrg", (NOTE,))]
)
def test_a_check_without_tests_allows_no_quick_deployment(level: str | None, notes: tuple[str, ...]) -> None:
    assert run(ScriptedOrg([[DONE]]), plan(CREATED), test_level=level) == CheckResult(notes)


def test_a_check_with_tests_is_saved_with_the_digest_of_its_package() -> None:
    the_plan = plan(CREATED)
    tested = replace(DONE, tests_completed=3)
    (step,) = (step for step in steps(the_plan) if isinstance(step, Deploy))
    result = run(ScriptedOrg([[tested]]), the_plan, test_level="RunSpecifiedTests", run_tests=("A", "B"))
    assert result == CheckResult(
        (),
        Validation(
            ID,
            package_digest(the_plan, step, MARK),
            "RunSpecifiedTests",
            ("A", "B"),
            "cafe",
            "me@example.com",
            "2026-03-18T12:00:00Z",
            "1f2e3d",
        ),
    )


class TestAUserWhoDoesNotExistYet:
    PLAN = plan(Change(USER.address, None, USER), Change(MESSAGE.address, None, MESSAGE))
    STOOD_IN = f"{USER.full_name} does not exist yet, so {TARGET.username} was used instead"
    RECORDS = "not 1 user or assignment, which no deployment contains"

    def test_is_replaced_by_the_signed_in_user_and_named(self) -> None:
        org = ScriptedOrg([[DONE]])
        assert run(org, self.PLAN) == CheckResult((self.STOOD_IN, self.RECORDS))
        components = {component.address: component for component in read(files(org.packages[0]))}
        assert components[MESSAGE.address].body["integrationUser"] == TARGET.username

    def test_makes_the_checked_package_differ_from_the_applied_one(self) -> None:
        tested = replace(DONE, tests_completed=3)
        result = run(ScriptedOrg([[tested]]), self.PLAN, test_level="RunLocalTests")
        assert result == CheckResult(
            (self.STOOD_IN, self.RECORDS, "not the final package, so that apply runs the tests again")
        )

    def test_is_named_in_alphabetical_order_if_there_are_several(self) -> None:
        names = [f"user{letter}@example.com" for letter in "hgfedcba"]
        users = [Component("User", name, {"Username": name}) for name in names]
        the_plan = replace(
            self.PLAN, changes=(*self.PLAN.changes, *(Change(user.address, None, user) for user in users))
        )
        note, _ = run(ScriptedOrg([[DONE]]), the_plan).notes
        assert note.startswith(", ".join(sorted([USER.full_name, *names])))

    def test_is_not_replaced_if_the_user_exists(self) -> None:
        assert run(ScriptedOrg([[DONE]]), plan(Change(MESSAGE.address, None, MESSAGE))).notes == ()


class TestSeveralPackages:
    FLOW = Component("Flow", "Appcues_contact", {"label": "F"})
    GONE = (Change(FLOW.address, FLOW, None), Change(number("B__c").address, number("B__c"), None))
    TESTS = DeployOptions(check_only=True, test_level="RunLocalTests")

    def test_are_checked_as_one_package_with_the_last_deletions(self) -> None:
        org = ScriptedOrg([[DONE]])
        assert run(org, plan(CREATED, *self.GONE)) == CheckResult()
        (package_files,) = (files(zipped) for zipped in org.packages)
        deleted = next(text.decode() for name, text in package_files.items() if name.startswith("destructiveChanges"))
        assert [name in deleted for name in ("Contact.B__c", "Appcues_contact-1", "Appcues_contact-2")] == [True] * 3
        assert b"A__c" in package_files["objects/Contact.object"]

    def test_a_refused_deletion_is_a_failure(self) -> None:
        message = DeployMessage("CustomField", "Contact.B__c", problem="in use", success=False)
        failed = replace(DONE, status="Failed", success=False, failures=(message,))
        with pytest.raises(DeployFailed, match=r"CustomField:Contact.B__c: in use"):
            run(ScriptedOrg([[failed]]), plan(CREATED, *self.GONE))

    def test_a_check_with_tests_also_checks_the_first_package_for_a_quick_deployment(self) -> None:
        org = ScriptedOrg([[DONE], [replace(DONE, tests_completed=3)]])
        result = run(org, plan(CREATED, *self.GONE), test_level="RunLocalTests")
        assert org.sent == [DeployOptions(check_only=True), self.TESTS]
        assert result.validation is not None
        assert result.notes == ()

    def test_the_first_package_alone_runs_the_requested_tests(self) -> None:
        org = ScriptedOrg([[DONE], [replace(DONE, tests_completed=3)]])
        run(org, plan(CREATED, *self.GONE), test_level="RunSpecifiedTests", run_tests=("A",))
        tests = DeployOptions(check_only=True, test_level="RunSpecifiedTests", run_tests=("A",))
        assert org.sent == [DeployOptions(check_only=True), tests]

    def test_tests_of_a_first_package_with_another_user_allow_no_quick_deployment(self) -> None:
        user_changes = TestAUserWhoDoesNotExistYet.PLAN.changes
        org = ScriptedOrg([[DONE], [replace(DONE, tests_completed=3)]])
        result = run(org, plan(*user_changes, *self.GONE), test_level="RunLocalTests")
        assert result.validation is None
        assert result.notes[-1] == "not the final package, so that apply runs the tests again"

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_package_without_components_allows_no_quick_deployment(self, count: int) -> None:
        org = ScriptedOrg([[replace(DONE, tests_completed=3)]])
        result = run(org, plan(*self.GONE[:count]), test_level="RunLocalTests")
        assert org.sent == [self.TESTS]
        assert result == CheckResult(("not the final package, so that apply runs the tests again",))

    def test_a_first_package_after_a_rename_allows_no_quick_deployment(self) -> None:
        move = Move(number("Former__c").address, number("A__c").address)
        renamed = replace(CREATED, before=number("A__c"), moved_from=move.former)
        org = ScriptedOrg([[replace(DONE, tests_completed=3)]])
        run(org, replace(plan(renamed), moves=(move,)), test_level="RunLocalTests")
        assert org.sent == [self.TESTS]

    def test_a_first_package_with_deletions_allows_no_quick_deployment(self) -> None:
        org = ScriptedOrg([[replace(DONE, tests_completed=3)]])
        the_plan = replace(plan(CREATED, Change(USER.address, None, USER), self.GONE[1]), mode=Mode.ROLLBACK)
        run(org, the_plan, test_level="RunLocalTests")
        assert org.sent == [self.TESTS]

    def test_a_replaced_component_is_no_rename_of_the_org(self) -> None:
        move = Move(number("Former__c").address, number("A__c").address, in_place=False)
        assert run(ScriptedOrg([[DONE]]), replace(plan(CREATED, self.GONE[1]), moves=(move,))).notes == ()

    def test_deletions_that_cannot_be_checked_are_named_in_order(self) -> None:
        sets = [Component("PermissionSet", f"Appcues_{letter}", {"label": letter}) for letter in "BA"]
        rows = [Component("PermissionSetAssignment", f"{component.full_name}/me@example.com", {}) for component in sets]
        the_plan = replace(
            plan(*(Change(deleted.address, deleted, None) for deleted in (*sets, *rows, self.GONE[1].before))),
            mode=Mode.DESTROY,
        )
        assert run(ScriptedOrg([[DONE]]), the_plan).notes[0] == (
            "not the deletion of PermissionSet:Appcues_A, PermissionSet:Appcues_B, which are still assigned to users"
        )

    def test_a_check_names_the_changes_that_it_cannot_check(self) -> None:
        viewers = Component("PermissionSet", "Appcues_Viewer", {"label": "V"})
        row = Component("PermissionSetAssignment", "Appcues_Viewer/me@example.com", {"Assignee": "me@example.com"})
        renamed = replace(CREATED, before=number("A__c"), moved_from=number("Former__c").address)
        move = Move(number("Former__c").address, number("A__c").address)
        deletions = (Change(viewers.address, viewers, None), Change(row.address, row, None))
        the_plan = replace(plan(*deletions, renamed), mode=Mode.DESTROY, moves=(move,))
        assert run(ScriptedOrg([[DONE]]), the_plan).notes == (
            "not the deletion of PermissionSet:Appcues_Viewer, which are still assigned to users",
            "not that CustomField:Contact.A__c can be renamed, which is tried first and undone when one is refused",
            "not 1 user or assignment, which no deployment contains",
        )
