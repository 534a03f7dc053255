"""Properties of a plan: whether it is empty, the managed addresses after it, and its counts."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.errors import Refused
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action, Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan, Refusal
from tests.plan.samples import TARGET, USER, number

A, B, C = number("A__c"), number("B__c"), number("C__c")
CREATED = Change(A.address, None, A)
IDLE = Change(B.address, B, B)
DRIFTED = Change(C.address, C, C, number("C__c", 5))


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(TARGET, "production", "1", "63.0", Address("StaticResource", "S"), changes, {}, **more)


@pytest.mark.parametrize(
    ("changes", "more", "empty"),
    [
        ((), {}, True),
        ((IDLE,), {}, True),
        ((IDLE, DRIFTED), {}, True),
        ((IDLE, CREATED), {}, False),
        ((IDLE,), {"records_state": True}, False),
        ((IDLE,), {"mode": Mode.REFRESH}, True),
        ((IDLE, DRIFTED), {"mode": Mode.REFRESH}, False),
        ((IDLE,), {"mode": Mode.REFRESH, "records_state": True}, True),
    ],
)
def test_a_plan_is_empty_when_it_does_nothing_and_a_refresh_when_nothing_drifted(
    changes: tuple[Change, ...], more: dict[str, Any], empty: bool
) -> None:
    assert plan(*changes, **more).is_empty is empty


def test_the_effective_and_drifted_changes_and_the_counts() -> None:
    new_plan = plan(CREATED, IDLE, DRIFTED)
    assert (new_plan.effective, new_plan.drifted) == ((CREATED,), (DRIFTED,))
    assert [new_plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE, Action.NO_OP)] == [
        1,
        0,
        0,
        2,
    ]


def test_warnings_and_refusals_add_up_in_their_order() -> None:
    first, second = Refusal(A.address, "is bad", "correct it"), Refusal(None, "too much", "do less")
    assert plan(warnings=("a",)).warn("b", "c").warnings == ("a", "b", "c")
    refused = plan(refusals=(first,)).refuse(second)
    assert refused.refusals == (first, second)
    with pytest.raises(Refused) as error:
        refused.raise_if_refused()
    assert error.value.message == (
        "This plan is refused:\n  - CustomField:Contact.A__c is bad; correct it\n  - too much; do less"
    )
    plan().raise_if_refused()


def test_the_managed_addresses_after_an_apply() -> None:
    deleted = Change(number("D__c").address, number("D__c"), None)
    released = Change(number("E__c").address, number("E__c"), number("E__c"))
    record = Change(USER.address, None, USER)
    unchanged_flow = Component("Flow", "F", {})
    new_plan = plan(
        CREATED, IDLE, deleted, released, record, kept=(unchanged_flow,), released=frozenset({released.address})
    )
    assert new_plan.list_desired() == (A, B, unchanged_flow)
