"""Former names: components that are recognized, renamed in place, or created again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from sfcode.config.project import Project
from sfcode.generate import generate
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action
from sfcode.plan.moves import apply_moves, find_moves
from sfcode.plan.renames import Renames
from sfcode.plan.snapshot import FlowVersion, Move, OrgSnapshot
from sfcode.plan.state import Applied, Past
from tests.generate.projects import CONTACT, OFFLINE, changed, project
from tests.generate.projects import settings as config
from tests.plan.samples import TARGET, build

OLD, NEW = (Address("CustomField", f"Contact.{name}") for name in ("Appcues_NPS_Score__c", "Score__c"))


def make_project(mapping: dict[str, Any] = CONTACT, name: str = "contact", **settings: Any) -> Project:
    return project({name: mapping}, config(**settings))


def components(project: Project) -> dict[Address, Component]:
    result = generate(project, OFFLINE)
    return {component.address: component for component in (*result.components, *result.records)}


def snapshot(project: Project, **more: Any) -> OrgSnapshot:
    """Return the org as it is after an apply of a project."""
    observed_components = components(project)
    bodies = {address: component.body for address, component in observed_components.items()}
    applied_state = Applied(
        {address: body for address, body in bodies.items() if not address.is_record},
        records={address: body for address, body in bodies.items() if address.is_record},
    )
    return OrgSnapshot(TARGET, observed_components, applied_state, **more)


def moves(before: Project, after: Project, **more: Any) -> tuple[Move, ...]:
    return find_moves(after, components(after), snapshot(before, **more))


def renamed_field(field: str = "Score__c", **more: Any) -> Project:
    nps = {**CONTACT["to_salesforce"]["nps"], "score": {"field": field, "create": True}}
    moved = {"fields": {OLD.full_name: f"Contact.{field}"}}
    return make_project(changed(CONTACT, nps__in__to_salesforce=nps), moved=moved, **more)


def test_without_moved_a_renamed_field_is_a_new_field() -> None:
    nps = {**CONTACT["to_salesforce"]["nps"], "score": {"field": "Score__c", "create": True}}
    assert moves(make_project(), make_project(changed(CONTACT, nps__in__to_salesforce=nps))) == ()


def test_a_field_is_renamed_in_place_and_permission_sets_follow() -> None:
    after = renamed_field()
    assert moves(make_project(), after) == (Move(OLD, NEW),)
    moved_snapshot = apply_moves(snapshot(make_project()), moves(make_project(), after))
    plan = build(after, generate(after, OFFLINE), moved_snapshot)
    assert {change.address: change.action for change in plan.effective} == {NEW: Action.UPDATE}
    assert plan.moves == (Move(OLD, NEW),)
    assert plan.records_state


def test_a_field_that_a_flow_version_refers_to_is_created_again() -> None:
    flow = Component(
        "Flow",
        "Appcues_contact",
        {"start": {"object": "Contact", "filterFormula": "ISBLANK({!$Record.Appcues_NPS_Score__c})"}},
    )
    versions = {flow.address: (FlowVersion(1, False, flow),)}
    assert moves(make_project(), renamed_field(), flow_versions=versions) == (Move(OLD, NEW, in_place=False),)


def test_a_renamed_formula_field_is_created_again() -> None:
    mapping = changed(CONTACT, user_id={"field": "AUid__c", "from": "Product_User_Id__c"})
    moved = {"fields": {"Contact.Appcues_User_Id__c": "Contact.AUid__c"}}
    (move,) = moves(make_project(), make_project(mapping, moved=moved))
    assert not move.in_place


def test_existing_fields_with_both_names_are_not_confused() -> None:
    old_snapshot = snapshot(make_project())
    all_components = {
        **old_snapshot.components,
        NEW: Component(NEW.type, NEW.full_name, dict(old_snapshot.components[OLD].body)),
    }
    after = renamed_field()
    assert find_moves(after, components(after), OrgSnapshot(TARGET, all_components, old_snapshot.applied)) == ()


def test_a_completed_rename_is_recorded_and_not_repeated() -> None:
    before, after = snapshot(make_project()), renamed_field()
    moved_snapshot = apply_moves(before, (Move(OLD, NEW),))
    new_snapshot = OrgSnapshot(TARGET, moved_snapshot.components, before.applied)
    (move,) = find_moves(after, components(after), new_snapshot)
    assert move.done
    plan = build(after, generate(after, OFFLINE), apply_moves(new_snapshot, (move,)))
    assert plan.moves == ()
    assert plan.records_state
    assert plan.refusals == ()


def test_a_mapping_in_another_file_is_recognized_by_its_message() -> None:
    found_moves = moves(make_project(), make_project(name="person"))
    assert {(str(move.former), str(move.present), move.in_place) for move in found_moves} == {
        ("Flow:Appcues_contact", "Flow:Appcues_person", False),
        ("WorkflowOutboundMessage:Contact.Appcues_contact", "WorkflowOutboundMessage:Contact.Appcues_person", False),
    }


def test_a_project_and_its_user_are_renamed_together_and_assignments_follow() -> None:
    user = {"username": "new@example.com", "email": "admin@example.com"}
    after = project(
        {"contact": CONTACT},
        {
            **config(),
            "name": "Acme",
            "integration_user": user,
            "moved": {"name": "Appcues", "user": "appcues.integration@example.com"},
        },
    )
    found_moves = moves(make_project(), after)
    moved_snapshot = apply_moves(snapshot(make_project()), found_moves)
    plan = build(after, generate(after, OFFLINE), moved_snapshot)
    kinds = {"User", "PermissionSet", "PermissionSetAssignment", "PermissionSetLicenseAssign", "CustomField"}
    assert {change.action for change in plan.effective if change.address.type in kinds} == {Action.UPDATE}
    assert not any(change.address.type.startswith("PermissionSetA") for change in plan.effective)
    assert {change.action for change in plan.effective if change.address.type == "Flow"} == {
        Action.CREATE,
        Action.DELETE,
    }


def test_the_history_uses_present_names_and_a_rollback_the_former_ones() -> None:
    body = {"fieldPermissions": {OLD.full_name: {"readable": True}, "Event.A__c": {"readable": True}}}
    rights = Address("PermissionSet", "P")
    past = Past("1", "", "", None, {OLD: {"type": "Number"}, rights: body}, frozenset({OLD}))
    activity = Move(Address("CustomField", "Activity.A__c"), Address("CustomField", "Activity.B__c"))
    renames = Renames((Move(OLD, NEW), activity))
    (renamed,) = renames.rename_state(Applied(history=(past,))).history
    assert renamed.owned == {NEW}
    assert [*renamed.before[rights]["fieldPermissions"]] == [NEW.full_name, "Event.B__c"]  # type: ignore[index,misc,arg-type]
    assert renames.invert().rename_state(Applied(history=(renamed,))).history == (past,)


@pytest.mark.parametrize("kind", ["name", "user"])
def test_an_applied_line_of_moved_changes_nothing(kind: str) -> None:
    moved = {"name": "Before"} if kind == "name" else {"user": "before@example.com"}
    assert moves(make_project(), make_project(moved=moved)) == ()


def refer(value: Any, address: Address) -> bool:
    """Return whether an address occurs anywhere in a value."""
    if isinstance(value, Mapping):
        return any(refer(key, address) or refer(content, address) for key, content in value.items())
    if isinstance(value, (tuple, frozenset)):
        return any(refer(item, address) for item in value)
    return (value.address if isinstance(value, Component) else value) == address


OF_ADDRESSES = [
    field.name for field in fields(OrgSnapshot) if "Address" in str(field.type) and field.name != "left_state"
]


@pytest.mark.parametrize("name", OF_ADDRESSES)
def test_everything_in_a_snapshot_is_renamed(name: str) -> None:
    """The test covers each field with addresses in any structure, so that a new field of a snapshot must be renamed too."""
    shapes = {
        "tuple": (OLD,),
        "frozenset": frozenset({OLD}),
        "Mapping": {OLD: Component(OLD.type, OLD.full_name, {})},
    }
    type_ = str(next(field.type for field in fields(OrgSnapshot) if field.name == name))
    before = replace(OrgSnapshot(TARGET), **{name: shapes[type_.partition("[")[0]]})
    after = getattr(apply_moves(before, (Move(OLD, NEW),)), name)
    assert refer(after, NEW)
    assert not refer(after, OLD)
