"""An apply after each possible answer to its prompt, and in an org that changed before the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from sfcode.apply.lock import find_lock
from sfcode.apply.session import ApplyCallbacks, ApplyOptions, apply_plan
from sfcode.config.mapping_models import ToSalesforce
from sfcode.config.project import Project
from sfcode.errors import Interrupted, Refused, UsageError
from sfcode.local import LocalOrg, serve
from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.plan.modes import WHOLE_PLAN, Mode, PlanRequest
from sfcode.plan.plan import Plan
from sfcode.plan.planner import make_plan
from tests.e2e.org import component, deploy_field_label, opened
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
class SessionCase:
    """A project, an org, and a person who answers prompts."""

    project: Project
    served: LocalOrg
    org: Org
    shown: list[Plan] = field(default_factory=list)
    asked: list[Plan] = field(default_factory=list)
    locks: list[bool] = field(default_factory=list)
    report: Callable[[str], object] = lambda _: None

    def apply(
        self, answer: Callable[[], bool], request: PlanRequest | Plan = WHOLE_PLAN, *, auto_approve: bool = False
    ):
        def approve(plan: Plan) -> bool:
            self.asked.append(plan)
            self.locks.append(find_lock(self.org, "Appcues") is not None)
            return answer()

        callbacks = ApplyCallbacks(approve=approve, show=self.shown.append, report=self.report)
        options = ApplyOptions(auto_approve=auto_approve)
        return apply_plan(self.project, self.org, SECRETS, request, callbacks=callbacks, options=options)

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


def raises(error: BaseException) -> Callable[[], bool]:
    def answer() -> bool:
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
    spec = case.project.mappings[0].spec
    activities = ToSalesforce.model_validate({"activities": ["nps_score"]}).activities
    edited = spec.model_copy(update={"to_salesforce": spec.to_salesforce.model_copy(update={"activities": activities})})
    case.project = replace(case.project, mappings=(replace(case.project.mappings[0], spec=edited),))

    def colleague_is_faster() -> bool:
        deploy_field_label(case.served, SCORE.full_name, "Somebody was here")
        return True

    with pytest.raises(Refused, match=f"The org has changed since the plan was made:\n  - {SCORE} was changed"):
        case.apply(colleague_is_faster)
    new_plan = make_plan(case.project, case.org, SECRETS).plan
    assert "CustomField:Activity.Appcues_Event_Id__c" in {str(change.address) for change in new_plan.effective}


def test_the_org_is_locked_after_the_answer_and_not_before(case):
    case.apply(lambda: True)
    assert case.locks == [False]


@pytest.mark.parametrize("saved", [True, False])
def test_a_saved_plan_and_auto_approve_skip_the_approval(case, saved):
    request = make_plan(case.project, case.org, SECRETS).plan if saved else PlanRequest()
    case.apply(raises(AssertionError()), request, auto_approve=not saved)
    assert case.asked == []
    assert component(case.served, SCORE) is not None


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


def test_an_empty_plan_needs_no_approval(case):
    case.apply(lambda: True)
    assert case.apply(raises(AssertionError())).deployments == ()
    assert len(case.asked) == 1
