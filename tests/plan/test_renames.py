"""Renames in place: references, order, and interrupted applies."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.metadata.component import Address
from sfcode.plan.next_state import intended_state
from sfcode.plan.renames import Renames, follow_renames, order_renames
from sfcode.plan.snapshot import Move
from sfcode.plan.state import Applied, Past, state_address
from sfcode.plan.state_format import from_component, to_component
from tests.plan.samples import build, desired, number, observed

OBJECT, RENAMED = (Address("CustomObject", f"{name}_Activity__c") for name in ("Old", "New"))
FIELD, SET = Address("CustomField", "Old_Activity__c.Old_Time__c"), Address("PermissionSet", "Old_Viewer")
HALF = Address("CustomField", "New_Activity__c.Old_Time__c")
MOVES = (
    Move(FIELD, Address("CustomField", "New_Activity__c.New_Time__c")),
    Move(OBJECT, RENAMED),
    Move(SET, Address("PermissionSet", "New_Viewer")),
)
LOOKUP = Address("CustomField", "Old_Activity__c.Contact__c")
BODY: dict[str, Any] = {
    "objectPermissions": {"Old_Activity__c": {"allowRead": True}, "Contact": {"allowRead": True}},
    "fieldPermissions": {name: {"readable": True} for name in (FIELD.full_name, LOOKUP.full_name, "Contact.A__c")},
}
STATE = Applied(
    {OBJECT: {}, FIELD: {}, LOOKUP: {}, SET: BODY},
    history=(Past("1", "", "", None, {FIELD: None}, frozenset({LOOKUP}), moves={OBJECT: RENAMED}),),
)
CALLS = [(OBJECT, RENAMED), (HALF, MOVES[0].present), (SET, MOVES[2].present)]


def test_an_object_is_renamed_first_together_with_its_fields() -> None:
    assert [(move.former, move.present) for move in order_renames(MOVES)] == CALLS
    assert order_renames([Move(FIELD, HALF, in_place=False)]) == ()


def test_components_of_a_renamed_object_and_references_to_it_are_renamed() -> None:
    renamed = Renames(MOVES).rename_state(STATE)
    body = renamed.components[MOVES[2].present]
    names = ("New_Activity__c.New_Time__c", "New_Activity__c.Contact__c", "Contact.A__c")
    assert list(body["objectPermissions"]) == ["New_Activity__c", "Contact"]  # type: ignore[arg-type]
    assert list(body["fieldPermissions"]) == list(names)  # type: ignore[arg-type]
    assert {address.full_name for address in renamed.components} == {"New_Activity__c", "New_Viewer", *names[:2]}
    (past,) = renamed.history
    assert (set(past.before), set(past.owned)) == ({MOVES[0].present}, {Address("CustomField", names[1])})
    assert Renames(MOVES).invert().rename_state(renamed) == STATE


@pytest.mark.parametrize("done", range(len(CALLS) + 1))
def test_the_state_of_an_interrupted_apply_is_read_with_the_names_in_the_org(done: int) -> None:
    """Renamed components have their present names, and all others have their former ones."""
    present_addresses = {former for former, _ in CALLS[done:] if former != HALF} | {
        present for _, present in CALLS[:done]
    }
    present_addresses |= {FIELD} if done == 0 else {HALF} if done == 1 else set()
    state = Applied(STATE.components, renaming=tuple(CALLS))
    stored_state = from_component(to_component(state_address("Old"), state))
    assert stored_state.renaming == state.renaming
    followed = follow_renames(stored_state, present_addresses)
    assert (
        set(followed.components) - {LOOKUP, Address("CustomField", "New_Activity__c.Contact__c")} == present_addresses
    )
    assert followed.renaming == ()


def test_the_state_before_a_rename_has_the_former_name(project: Any) -> None:
    former, present = number("Former__c"), number("A__c")
    snapshot = observed(present, applied=(present,))
    plan = build(project, desired(present), snapshot)
    plan = type(plan)(**{**plan.__dict__, "moves": (Move(former.address, present.address),)})
    intended = intended_state(plan, snapshot.applied)
    assert [*intended.components] == [former.address]
    assert intended.renaming == ((former.address, present.address),)
