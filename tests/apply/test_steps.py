import pytest

from sfcode.apply.steps import (
    ActivateFlows,
    Deploy,
    KeepState,
    RecordIntent,
    RemoveFlow,
    Rename,
    Trial,
    WriteRecord,
    steps,
)
from sfcode.metadata.component import Component
from sfcode.plan.moves import apply_moves
from sfcode.plan.snapshot import Move
from tests.plan.samples import SECRETS, USER, build, desired, number, observed

LICENSE = Component("PermissionSetLicenseAssign", "Psl/appcues@example.com", {"Assignee": "appcues@example.com"})
ASSIGNMENT = Component("PermissionSetAssignment", "Appcues_Integration/appcues@example.com", {"Assignee": "a"})
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Appcues_contact", {"name": "M"})
FLOW = Component("Flow", "Appcues_contact", {"label": "F"})
A = number("A__c")


@pytest.fixture
def plan_of(project):
    return lambda desired_state, snapshot: build(project, desired_state, snapshot, secrets=SECRETS)


def test_user_and_license_come_before_the_deployment_and_the_assignment_after(plan_of):
    plan = plan_of(desired(A, records=(ASSIGNMENT, LICENSE, USER)), observed())
    first, *later_steps = steps(plan)
    assert first == RecordIntent(), "what is about to be made is written down before"
    kinds = [step.change.address.type if isinstance(step, WriteRecord) else "deploy" for step in later_steps]
    assert kinds == ["User", "PermissionSetLicenseAssign", "deploy", "PermissionSetAssignment"]


def test_unchanged_components_are_in_the_state_and_not_in_the_package(plan_of):
    b = number("B__c")
    (deploy,) = steps(plan_of(desired(A, b), observed(A, applied=(A,))))
    assert deploy == Deploy((b,), (), (A, b))


def test_deletions_without_a_flow_go_into_the_same_transaction(plan_of):
    (deploy,) = steps(plan_of(desired(A), observed(MESSAGE, applied=(MESSAGE,))))
    assert deploy == Deploy((A,), (MESSAGE.address,), (A,))


def test_a_flow_is_deleted_between_two_packages_since_its_versions_use_deleted_fields(plan_of):
    planned_steps = steps(plan_of(desired(A), observed(MESSAGE, FLOW, applied=(MESSAGE, FLOW))))
    assert [type(step) for step in planned_steps] == [Trial, Deploy, RemoveFlow, Deploy]
    _, first, _, last = planned_steps
    assert (first.components, first.deleted) == ((A,), ())
    assert set(first.owned) == {A, MESSAGE, FLOW}, "what still exists stays ours until it is gone"
    assert (last.components, last.deleted, last.owned) == ((), (MESSAGE.address,), (A,))


def test_all_deletions_are_validated_before_a_flow_is_deleted(plan_of):
    viewer = Component("PermissionSet", "Appcues_Viewer", {"label": "V"})
    planned_steps = steps(plan_of(desired(A), observed(A, MESSAGE, FLOW, viewer, applied=(A, MESSAGE, FLOW, viewer))))
    assert planned_steps == (
        Trial((), (viewer.address, MESSAGE.address), (FLOW.address,), ()),
        RemoveFlow(FLOW.address),
        Deploy((), (viewer.address, MESSAGE.address), (A,)),
    )


def test_a_deployed_active_flow_is_activated_after_the_deployment(plan_of):
    active = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
    draft = Component("Flow", "Other", {"label": "O", "status": "Draft"})
    planned_steps = steps(plan_of(desired(A, active, draft), observed(A, applied=(A,))))
    assert planned_steps == (Deploy((active, draft), (), (A, active, draft)), ActivateFlows((active.address,)))


def test_where_tests_run_a_flow_is_deployed_as_a_draft_and_remembered_as_active(plan_of):
    """An org may roll back an active flow that no test covers; its activation after the deployment needs no coverage."""
    active = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
    draft = Component("Flow", "Appcues_contact", {"label": "F", "status": "Draft"})
    removed_flow = Component("Flow", "Appcues_lead", {"label": "L", "status": "Active"})
    planned_steps = steps(
        plan_of(desired(A, active), observed(A, MESSAGE, removed_flow, applied=(A, MESSAGE, removed_flow))), drafts=True
    )
    assert [type(step) for step in planned_steps] == [Trial, Deploy, ActivateFlows, RemoveFlow, Deploy]
    assert (planned_steps[0].components, planned_steps[1].components) == ((draft,), (draft,))
    assert active in planned_steps[1].owned


def test_a_plan_of_records_deploys_nothing_and_writes_the_state_last(plan_of):
    planned_steps = steps(plan_of(desired(A, records=(USER,)), observed(A, applied=(A,))))
    assert [type(step) for step in planned_steps] == [RecordIntent, WriteRecord, KeepState]


def test_adopting_an_equal_component_deploys_only_the_state(plan_of, project):
    plan = build(project, desired(A), observed(A), secrets=SECRETS, adopt=[A.address])
    assert steps(plan) == (Deploy((), (), (A,)),)


def test_an_empty_plan_has_no_step(plan_of):
    assert steps(plan_of(desired(A), observed(A, applied=(A,)))) == ()


def test_the_deletion_of_a_flow_alone_is_validated_too(plan_of):
    planned_steps = steps(plan_of(desired(A), observed(A, FLOW, applied=(A, FLOW))))
    assert [type(step) for step in planned_steps] == [Trial, RemoveFlow, Deploy]


def test_renames_are_validated_under_the_new_name_and_done_before_other_steps(plan_of):
    former = number("Former__c")
    move = Move(former.address, A.address)
    snapshot = apply_moves(observed(former, applied=(former,)), (move,))
    planned_steps = steps(plan_of(desired(A, records=(ASSIGNMENT, USER)), snapshot))
    assert [type(step) for step in planned_steps] == [Trial, RecordIntent, Rename, WriteRecord, Deploy, WriteRecord]
    trial, _, rename, *_ = planned_steps
    assert trial.components == (A,)
    assert rename.moves == (move,)


def test_campaigns_come_last_and_their_statuses_in_their_order(plan_of):
    reference = {"CampaignName": "Spring"}
    campaign = Component("Campaign", "Spring", reference)
    first = Component("CampaignMemberStatus", "Spring/Registered", {**reference, "Label": "R", "Before": ["Attended"]})
    last = Component("CampaignMemberStatus", "Spring/Attended", {**reference, "Label": "A", "Before": []})
    plan = plan_of(desired(A, records=(last, first, campaign, ASSIGNMENT, USER)), observed())
    addresses = [str(step.change.address) for step in steps(plan) if isinstance(step, WriteRecord)]
    assert addresses[-4:] == [str(component.address) for component in (ASSIGNMENT, campaign, first, last)]
