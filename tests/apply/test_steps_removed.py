"""The order of the steps that remove something: of a destroy, a rollback, and a changed integration user."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.apply.steps import (
    ActivateFlows,
    DeleteState,
    DeleteVersions,
    Deploy,
    KeepState,
    RecordIntent,
    RemoveFlow,
    Rename,
    Step,
    Trial,
    WriteRecord,
    steps,
)
from sfcode.mapping.limits import NAMES_PER_QUERY
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import ObsoleteVersions, Plan
from sfcode.plan.snapshot import Move
from tests.plan.samples import TARGET, USER, number

A, B = number("A__c"), number("B__c")
PEOPLE = Component("PermissionSet", "People", {"label": "People"})
VIEWER = Component("PermissionSet", "Viewer", {"label": "Viewer"})
FLOW = Component("Flow", "Appcues_contact", {"label": "F", "status": "Active"})
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Appcues_contact", {"name": "M"})
LICENSE = Component("PermissionSetLicenseAssign", "Psl/appcues@example.com", {"Assignee": "appcues@example.com"})
OLD_STATE = Address("StaticResource", "Old_sfcode_state")
OBSOLETE = ObsoleteVersions(FLOW.address, (1, 2), (MESSAGE.address,))
INACTIVE = replace(USER, body={**USER.body, "IsActive": False})


def assigned(permission_set: Component) -> Component:
    return Component("PermissionSetAssignment", f"{permission_set.full_name}/appcues@example.com", {"Assignee": "a"})


def created(component: Component) -> Change:
    return Change(component.address, None, component)


def deleted(component: Component) -> Change:
    return Change(component.address, component, None)


def unchanged(component: Component) -> Change:
    return Change(component.address, component, component)


def plan_of(*changes: Change, mode: Mode = Mode.APPLY, **more: object) -> Plan:
    state = Address("StaticResource", "New_sfcode_state")
    return Plan(TARGET, "local", "digest", "63.0", state, changes, {}, mode=mode, **more)


DEACTIVATED = Change(USER.address, USER, INACTIVE)
UPDATED = Change(USER.address, USER, replace(USER, body={**USER.body, "Email": "b@example.com"}))
RELABELED = Change(PEOPLE.address, PEOPLE, replace(PEOPLE, body={"label": "Staff"}))
MOVE = Move(Address("CustomField", "Contact.Former__c"), A.address)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        pytest.param(
            plan_of(
                deleted(A),
                deleted(PEOPLE),
                DEACTIVATED,
                deleted(LICENSE),
                deleted(assigned(PEOPLE)),
                mode=Mode.DESTROY,
            ),
            [
                Trial((), (A.address,), (), ()),
                WriteRecord(deleted(assigned(PEOPLE))),
                Deploy((), (A.address, PEOPLE.address), (), keeps_state=True),
                WriteRecord(deleted(LICENSE)),
                WriteRecord(DEACTIVATED),
                DeleteState(),
            ],
            id="an assignment is deleted before its set, and the user is deactivated last",
        ),
        pytest.param(
            plan_of(deleted(FLOW), deleted(MESSAGE), DEACTIVATED, mode=Mode.DESTROY),
            [
                Trial((), (MESSAGE.address,), (FLOW.address,), ()),
                RemoveFlow(FLOW.address),
                Deploy((), (MESSAGE.address,), (), keeps_state=True),
                WriteRecord(DEACTIVATED),
                DeleteState(),
            ],
            id="the state outlives the last component until the records are written",
        ),
        pytest.param(
            plan_of(deleted(A), mode=Mode.DESTROY), [Deploy((), (A.address,), ())], id="a destroy without records"
        ),
        pytest.param(
            plan_of(DEACTIVATED, mode=Mode.DESTROY), [WriteRecord(DEACTIVATED)], id="a destroy of records alone"
        ),
        pytest.param(
            plan_of(created(A), unchanged(PEOPLE), deleted(VIEWER), DEACTIVATED, deleted(assigned(PEOPLE))),
            [
                Deploy((A,), (VIEWER.address,), (A, PEOPLE)),
                WriteRecord(deleted(assigned(PEOPLE))),
                WriteRecord(DEACTIVATED),
            ],
            id="the previous user works until the new one can",
        ),
        pytest.param(
            plan_of(RELABELED, deleted(assigned(PEOPLE))),
            [Deploy((RELABELED.after,), (), (RELABELED.after,)), WriteRecord(deleted(assigned(PEOPLE)))],
            id="an assignment of a set that stays is deleted after the deployment",
        ),
        pytest.param(
            plan_of(
                deleted(VIEWER),
                created(A),
                created(LICENSE),
                deleted(assigned(VIEWER)),
                created(assigned(PEOPLE)),
                mode=Mode.ROLLBACK,
            ),
            [
                WriteRecord(created(LICENSE)),
                WriteRecord(deleted(assigned(VIEWER))),
                Deploy((A,), (VIEWER.address,), (A,)),
                WriteRecord(created(assigned(PEOPLE))),
            ],
            id="a rollback whose only deletion is that of an assigned set",
        ),
        pytest.param(
            plan_of(deleted(B), created(A), created(LICENSE), mode=Mode.ROLLBACK),
            [
                Trial((A,), (B.address,), (), ()),
                WriteRecord(created(LICENSE)),
                Deploy((A,), (B.address,), (A,)),
            ],
            id="a rollback is validated before it writes a record",
        ),
        pytest.param(
            plan_of(deleted(B), created(A), created(LICENSE)),
            [WriteRecord(created(LICENSE)), Deploy((A,), (B.address,), (A,))],
            id="an apply in one package is not",
        ),
        pytest.param(
            plan_of(deleted(B), created(A), mode=Mode.ROLLBACK),
            [Deploy((A,), (B.address,), (A,))],
            id="nor is a rollback without records",
        ),
        pytest.param(
            plan_of(unchanged(A), UPDATED),
            [WriteRecord(UPDATED), KeepState((A,))],
            id="only a new user is recorded beforehand",
        ),
        pytest.param(
            plan_of(unchanged(FLOW), deleted(MESSAGE), obsolete=(OBSOLETE,)),
            [
                Trial((), (MESSAGE.address,), (), (OBSOLETE,)),
                DeleteVersions(OBSOLETE),
                Deploy((), (MESSAGE.address,), (FLOW,)),
            ],
            id="old versions of a flow are deleted before what they refer to",
        ),
        pytest.param(
            plan_of(unchanged(A), moves=(MOVE,), records_state=True),
            [RecordIntent(), Rename((MOVE,)), Deploy((), (), (A,))],
            id="a rename alone needs no trial",
        ),
        pytest.param(
            plan_of(unchanged(A), deleted(B), moves=(MOVE,)),
            [Trial((), (B.address,), (), ()), RecordIntent(), Rename((MOVE,)), Deploy((), (B.address,), (A,))],
            id="a rename with a deletion does",
        ),
        pytest.param(
            plan_of(created(A), deleted(FLOW), deleted(MESSAGE), left_state=OLD_STATE),
            [
                Trial((A,), (MESSAGE.address,), (FLOW.address,), ()),
                Deploy((A,), (OLD_STATE,), (A, FLOW, MESSAGE)),
                RemoveFlow(FLOW.address),
                Deploy((), (MESSAGE.address,), (A,)),
            ],
            id="the state under the former name is deleted once",
        ),
        pytest.param(
            plan_of(unchanged(A), deleted(B), left_state=OLD_STATE),
            [Deploy((), (B.address, OLD_STATE), (A,))],
            id="with the other deletions",
        ),
        pytest.param(
            plan_of(created(FLOW), deleted(A), created(LICENSE), mode=Mode.ROLLBACK),
            [
                Trial((FLOW,), (A.address,), (), ()),
                WriteRecord(created(LICENSE)),
                Deploy((FLOW,), (A.address,), (FLOW,)),
                ActivateFlows((FLOW.address,)),
            ],
            id="a flow is validated as it is deployed",
        ),
    ],
)
def test_the_steps_of_a_plan(plan: Plan, expected: list[Step]) -> None:
    assert list(steps(plan)) == expected


def test_flows_are_activated_as_many_at_once_as_a_query_can_name() -> None:
    flows = [replace(FLOW, full_name=f"F{index:03}") for index in range(NAMES_PER_QUERY + 1)]
    _, first, last = steps(plan_of(*map(created, flows)))
    assert (first, last) == (
        ActivateFlows(tuple(flow.address for flow in flows[:-1])),
        ActivateFlows((flows[-1].address,)),
    )


def test_only_flows_are_deployed_as_drafts() -> None:
    rule = Component("WorkflowRule", "Contact.Rule", {"status": "Active"})
    (deploy, _) = steps(plan_of(created(FLOW), created(rule)), drafts=True)
    assert deploy.components == (replace(FLOW, body={**FLOW.body, "status": "Draft"}), rule)


def test_business_records_are_written_once() -> None:
    campaign = Component("Campaign", "Spring", {"CampaignName": "Spring"})
    assert steps(plan_of(unchanged(A), created(campaign))) == (WriteRecord(created(campaign)), KeepState((A,)))
