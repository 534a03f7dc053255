"""An apply after each possible answer to its prompt, and in an org that changed before the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.apply import session
from sfcode.apply.lock import find_lock
from sfcode.apply.lock_holder import Holder, LockInfo
from sfcode.apply.next_steps import list_steps
from sfcode.apply.session import ApplyCallbacks, ApplyOptions, apply_plan, make_mark
from sfcode.config.mapping_models import ToSalesforce
from sfcode.config.project import Project
from sfcode.errors import DeployFailed, Interrupted, Refused, UsageError
from sfcode.git import describe_revision
from sfcode.local import LocalOrg, serve
from sfcode.local.faults import InjectedFault
from sfcode.mapping.desired import Origin
from sfcode.metadata.component import Address
from sfcode.org import Org, Runtime, connect
from sfcode.org.results import DeployResult
from sfcode.plan.digest import changes_digest
from sfcode.plan.modes import WHOLE_PLAN, Mode, PlanRequest
from sfcode.plan.plan import Plan
from sfcode.plan.planner import make_plan
from tests.e2e.org import API, component, deploy, deploy_field_label, opened
from tests.generate.projects import project as generated_project
from tests.waiting import until

SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "0123456789abcdef0123456789abcdef"}
SCORE = Address("CustomField", "Contact.Appcues_NPS_Score__c")
MAPPING = {
    "object": "Contact",
    "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    "direction": "to_salesforce",
    "to_salesforce": {"nps": {"score": {"field": "Appcues_NPS_Score__c", "create": True}}},
}


@dataclass
class SessionCase:
    """A project, an org, and a person who answers prompts."""

    project: Project
    served: LocalOrg
    org: Org
    shown: list[Plan] = field(default_factory=list)
    asked: list[Plan] = field(default_factory=list)
    locks: dict[str, Holder | None] = field(default_factory=dict)
    """The holders of the lock while the plan is shown, while approval is awaited, and at the first line of progress."""
    report: Callable[[str], object] = lambda _: None
    recorded: list[tuple[DeployResult, Sequence[Origin]]] = field(default_factory=list)

    def apply(self, answer: Callable[[], bool], request: PlanRequest | Plan = WHOLE_PLAN, **options: Any):
        def show(plan: Plan) -> None:
            self.shown.append(plan)
            self._look_at_lock("shown")

        def approve(plan: Plan) -> bool:
            self.asked.append(plan)
            self._look_at_lock("asked")
            return answer()

        def report(line: str) -> None:
            self._look_at_lock("applied")
            self.report(line)

        callbacks = ApplyCallbacks(approve, show, report, lambda *deployment: self.recorded.append(deployment))
        return apply_plan(
            self.project, self.org, SECRETS, request, callbacks=callbacks, options=ApplyOptions(**options)
        )

    def edit_config(self) -> None:
        """Add activities to the mapping, which changes metadata and no record."""
        spec = self.project.mappings[0].spec
        activities = ToSalesforce.model_validate({"activities": ["nps_score"]}).activities
        edited = spec.model_copy(
            update={"to_salesforce": spec.to_salesforce.model_copy(update={"activities": activities})}
        )
        self.project = replace(self.project, mappings=(replace(self.project.mappings[0], spec=edited),))

    def _look_at_lock(self, moment: str) -> None:
        lock = find_lock(self.org, "Appcues")
        self.locks.setdefault(moment, lock.holder if lock else None)

    @property
    def is_untouched(self) -> bool:
        return component(self.served, SCORE) is None and find_lock(self.org, "Appcues") is None


@pytest.fixture
def case(tmp_path) -> Iterator[SessionCase]:
    with serve(tmp_path) as served, opened(served) as org:
        yield SessionCase(generated_project({"contact": MAPPING}), served, org)


def test_an_interruption_names_the_completed_steps_and_the_next_command(case):
    def interrupt(line: str) -> None:
        if line.startswith("PermissionSetLicenseAssign:"):
            raise KeyboardInterrupt

    case.report = interrupt
    username = case.project.settings.integration_user.username
    with pytest.raises(Interrupted) as stopped:
        case.apply(lambda: True)
    license = f"PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{username}"
    assert stopped.value.message == (
        "Interrupted; the lock is released. Completed steps, which remain:\n"
        f"  - User:{username}: created\n  - {license}: created"
    )
    assert "`sfcode plan` shows the remaining changes; `sfcode apply` does them." in stopped.value.hint
    assert case.is_untouched
    case.report = lambda _: None
    case.apply(lambda: True)
    assert make_plan(case.project, case.org, SECRETS).plan.is_empty


class Interrupting(list):
    """A list to which nothing can be added, since Ctrl-C is pressed before."""

    def append(self, _item: object) -> None:
        raise KeyboardInterrupt


def raises(error: BaseException) -> Callable[..., bool]:
    def answer(*_: object) -> bool:
        raise error

    return answer


def test_the_answer_yes_executes_the_shown_plan(case):
    result = case.apply(lambda: True)
    assert component(case.served, SCORE) is not None
    assert case.shown == case.asked == [result.plan]
    assert result.deployments
    assert result.apply_id
    assert find_lock(case.org, "Appcues") is None, "the lock is returned"


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda: False, Refused, "Canceled; nothing was changed."),
        (raises(EOFError()), Refused, "Canceled; nothing was changed."),
        (raises(KeyboardInterrupt()), Interrupted, "Interrupted; nothing was changed."),
        (raises(UsageError("Not a terminal")), UsageError, "Not a terminal"),
    ],
)
def test_any_other_answer_changes_nothing(case, answer, error, message):
    with pytest.raises(error, match=message):
        case.apply(answer)
    assert case.is_untouched
    assert len(case.asked) == 1


def test_a_change_of_the_org_before_the_answer_refuses_the_apply(case):
    case.apply(lambda: True)
    case.edit_config()

    def colleague_is_faster() -> bool:
        deploy_field_label(case.served, SCORE.full_name, "Somebody was here")
        return True

    with pytest.raises(Refused, match=f"The org has changed since the plan was made:\n  - {SCORE} was changed"):
        case.apply(colleague_is_faster)
    new_plan = make_plan(case.project, case.org, SECRETS).plan
    assert "CustomField:Activity.Appcues_Event_Id__c" in {str(change.address) for change in new_plan.effective}


def test_the_org_is_locked_after_the_answer_and_not_before(case):
    case.apply(lambda: True, verb="rollback")
    assert (case.locks["shown"], case.locks["asked"]) == (None, None)
    assert (case.locks["applied"].verb, case.locks["applied"].plan) == ("rollback", "")


@pytest.mark.parametrize("saved", [True, False])
def test_without_a_prompt_the_org_is_locked_before_it_is_read(case, saved):
    plan = make_plan(case.project, case.org, SECRETS).plan
    case.apply(raises(AssertionError()), plan if saved else WHOLE_PLAN, auto_approve=not saved)
    assert case.locks["shown"].plan == (changes_digest(plan)[:12] if saved else "")
    assert case.locks["shown"].id == case.locks["applied"].id


def test_without_a_lock_the_org_is_not_locked(case):
    case.apply(lambda: True, lock=False)
    assert set(case.locks.values()) == {None}


def test_a_project_that_is_being_renamed_also_locks_its_former_name(case):
    moved = case.project.settings.moved.model_copy(update={"name": "a_former_name"})
    case.project = replace(case.project, settings=case.project.settings.model_copy(update={"moved": moved}))
    pairs = []

    def read_locks() -> tuple[LockInfo, LockInfo]:
        return find_lock(case.org, "a_former_name"), find_lock(case.org, "Appcues")

    def report(line: str) -> None:
        pairs.append(read_locks())
        if "Deploying" in line:
            until(lambda: [lock.holder.deployment != "" for lock in read_locks()] == [True, True])

    case.report = report
    case.apply(lambda: True)
    former, present = pairs[0]
    assert former.holder.id == present.holder.id
    assert former.id < present.id, (
        "the locks are taken in the order of their names, so that no two runs block each other"
    )
    assert read_locks() == (None, None)


def test_every_deployment_is_recorded_with_the_lines_of_its_components(case):
    result = case.apply(lambda: True)
    assert [deployment.id for deployment, _ in case.recorded] == list(result.deployments)
    assert all(SCORE in {origin.address for origin in origins} for _, origins in case.recorded)


def test_a_refused_plan_is_shown_and_changes_nothing(case):
    field = component(case.served, Address("CustomField", "Contact.Product_User_Id__c"))
    deploy(case.served, replace(field, full_name=SCORE.full_name))
    with pytest.raises(Refused, match=f"--adopt {SCORE}"):
        case.apply(raises(AssertionError()))
    assert len(case.shown) == 1
    assert find_lock(case.org, "Appcues") is None


@pytest.mark.parametrize("auto_approve", [True, False])
def test_an_interruption_before_the_first_step_changes_nothing(case, auto_approve):
    case.shown = Interrupting()
    with pytest.raises(Interrupted) as stopped:
        case.apply(raises(AssertionError()), auto_approve=auto_approve)
    assert str(stopped.value) == "Interrupted; nothing was changed."
    assert case.is_untouched


@pytest.mark.parametrize(("lock", "text"), [(True, "; the lock is released"), (False, "")])
def test_an_interruption_without_a_completed_step_names_none(case, lock, text):
    case.apply(lambda: True)
    case.edit_config()
    case.report = raises(KeyboardInterrupt())
    with pytest.raises(Interrupted) as stopped:
        case.apply(lambda: True, lock=lock, verb="rollback")
    assert stopped.value.message == f"Interrupted{text}. No step was completed."
    assert "`sfcode rollback` does them." in stopped.value.hint
    assert find_lock(case.org, "Appcues") is None


class TestTheMarkOfAnApply:
    def test_contains_user_time_commit_and_the_previous_state(self, case):
        case.apply(lambda: True)
        planned = make_plan(case.project, case.org, SECRETS)
        moment = datetime(2026, 3, 18, 14, 30, tzinfo=timezone(timedelta(hours=2)))
        mark = make_mark(case.project, planned, moment)
        assert (mark.by, mark.at) == (case.org.identity.username, "2026-03-18T12:30:00Z")
        assert mark.revision == describe_revision(case.project.root)
        assert mark.printed_steps == tuple(step.digest for step in list_steps(case.project))
        assert mark.printed_steps
        assert mark.applied == planned.snapshot.applied
        assert mark.applied.addresses()

    def test_has_an_id_of_its_own_and_by_default_the_present_time(self, case):
        planned = make_plan(case.project, case.org, SECRETS)
        before = datetime.now(UTC).replace(microsecond=0)
        first, second = make_mark(case.project, planned), make_mark(case.project, planned)
        assert first.id != second.id
        assert len(first.id) == 8
        assert before <= datetime.fromisoformat(first.at) <= datetime.now(UTC)

    def test_has_the_time_of_the_org(self, tmp_path):
        clock = SimpleNamespace(now=lambda: datetime(2026, 3, 18, 12, 30, tzinfo=UTC))
        with serve(tmp_path, clock=clock) as served, opened(served) as org:
            case = SessionCase(generated_project({"contact": MAPPING}), served, org)
            case.apply(lambda: True)
            assert make_plan(case.project, org, SECRETS).snapshot.applied.applied_at == "2026-03-18T12:30:00Z"


@pytest.mark.parametrize("saved", [True, False])
def test_a_saved_plan_and_auto_approve_skip_the_approval(case, saved):
    request = make_plan(case.project, case.org, SECRETS).plan if saved else PlanRequest()
    result = case.apply(raises(AssertionError()), request, auto_approve=not saved)
    assert case.asked == []
    assert component(case.served, SCORE) is not None
    assert (result.plan is request) is saved


def test_a_saved_plan_is_refused_after_a_change_of_the_org(case):
    case.apply(lambda: True)
    case.edit_config()
    saved = make_plan(case.project, case.org, SECRETS).plan
    deploy_field_label(case.served, SCORE.full_name, "Somebody was here")
    with pytest.raises(Refused, match=f"The org has changed since the plan was made:\n  - {SCORE} was changed"):
        case.apply(lambda: True, saved)
    assert len(case.shown) == 1
    assert find_lock(case.org, "Appcues") is None


@pytest.mark.parametrize(("mode", "count"), [("prompt", 2), ("auto_approve", 1), ("saved", 1)])
def test_only_an_approval_at_a_prompt_reads_the_org_again(case, monkeypatch, mode, count):
    request = make_plan(case.project, case.org, SECRETS).plan if mode == "saved" else PlanRequest()
    plans = []

    def count_plan(*arguments, **options):
        plans.append(make_plan(*arguments, **options))
        return plans[-1]

    monkeypatch.setattr(session, "make_plan", count_plan)
    case.apply(lambda: True, request, auto_approve=mode == "auto_approve")
    assert len(plans) == count


@pytest.mark.parametrize("timeout", [0.0, 60.0])
def test_a_deployment_waits_for_another_one_as_long_as_the_lock(tmp_path, timeout):
    seconds = []
    runtime = Runtime(sleep=seconds.append, clock=lambda: sum(seconds))
    with serve(tmp_path, faults=[InjectedFault("locked_org")]) as served:
        environ = {"SF_ACCESS_TOKEN": served.access_token}
        with connect(served.url, environ=environ, api_version=API, runtime=runtime) as org:
            case = SessionCase(generated_project({"contact": MAPPING}), served, org)
            if timeout:
                case.apply(lambda: True, lock_timeout=timeout)
            else:
                with pytest.raises(DeployFailed, match="ALREADY_IN_PROCESS"):
                    case.apply(lambda: True)
            assert bool(component(served, SCORE)) is bool(timeout)


@pytest.mark.parametrize("saved", [True, False])
def test_a_protected_environment_is_never_destroyed_without_an_approval(case, saved):
    case.apply(lambda: True)
    protected = case.project.target.model_copy(update={"protected": True})
    case.project = replace(case.project, target=protected)
    request = PlanRequest(Mode.DESTROY, allow_delete=(SCORE,))
    request = make_plan(case.project, case.org, SECRETS, request).plan if saved else request
    with pytest.raises(Refused, match="Canceled"):
        case.apply(lambda: False, request, auto_approve=True)
    assert case.asked[-1].mode is Mode.DESTROY
    assert component(case.served, SCORE) is not None
    result = case.apply(lambda: True, request, auto_approve=True)
    assert component(case.served, SCORE) is None
    assert result.apply_id == "", "a destroy cannot be rolled back"


def test_only_a_destroy_of_a_protected_environment_always_needs_an_approval(case):
    unprotected = case.project
    case.project = replace(unprotected, target=unprotected.target.model_copy(update={"protected": True}))
    case.apply(raises(AssertionError()), auto_approve=True)
    case.project = unprotected
    case.apply(raises(AssertionError()), PlanRequest(Mode.DESTROY, allow_delete=(SCORE,)), auto_approve=True)
    assert component(case.served, SCORE) is None


def test_an_empty_plan_needs_no_approval(case):
    case.apply(lambda: True)
    assert case.apply(raises(AssertionError())).deployments == ()
    assert len(case.asked) == 1
