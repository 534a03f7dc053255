"""The rules that complete a plan, and the rules of each mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.config.project import Project
from sfcode.errors import UsageError
from sfcode.metadata.component import Address, Component
from sfcode.plan.modes import Limits, Mode
from sfcode.plan.ownership import keep_as_is
from sfcode.plan.state import Past
from tests.plan.samples import USER, build, desired, number, observed, permissions

A, B, C = number("A__c"), number("B__c"), number("C__c")
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Old", {"name": "Old"})
RULE = Component("WorkflowRule", "Contact.Theirs", {"active": True})
SET = Address("PermissionSet", "Appcues_Integration")


def project_with(project: Project, *, as_is: tuple[str, ...] = (), named: str | None = None, **spec: Any) -> Project:
    user = project.settings.integration_user.model_copy(update={"permission_set": named})
    settings = project.settings.model_copy(update={"as_is": as_is, "integration_user": user})
    (mapping,) = project.mappings
    changed = replace(mapping, spec=mapping.spec.model_copy(update=spec))
    return replace(project, settings=settings, mappings=(changed,))


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.DESTROY])
def test_warnings_of_the_config_come_before_those_of_the_org(project: Project, mode: Mode) -> None:
    warned = replace(project, warnings=("of the config",))
    assert build(warned, desired(), observed(warnings=("of the org",)), mode=mode).warnings == (
        "of the config",
        "of the org",
    )


def test_a_plan_has_the_data_flows_of_the_mappings(project: Project) -> None:
    (flow,) = build(project, desired(), observed()).flows
    assert (flow.mapping, flow.object, flow.carrier) == ("contact", "Contact", "Relay")
    (connector_flow,) = build(project_with(project, delivery="connector"), desired(), observed()).flows
    assert (connector_flow.carrier, connector_flow.senders) == ("Appcues' connector", ())


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.DESTROY, Mode.ROLLBACK])
def test_unmanaged_components_in_the_files_of_a_plan_are_counted(project: Project, mode: Mode) -> None:
    own_message = Component("WorkflowOutboundMessage", "Contact.Ours", {"name": "Ours"})
    snapshot = observed(own_message, applied=(own_message,), unmanaged=frozenset({RULE.address}))
    history = (Past("1", "now", "me", None, {own_message.address: None}, frozenset({own_message.address})),)
    snapshot = replace(snapshot, applied=replace(snapshot.applied, history=history))
    plan = build(project, desired(), snapshot, mode=mode)
    assert [str(count) for count in plan.preserved] == [
        "1 rule in Contact.workflow is not managed by sfcode, and not changed"
    ]


class TestTargets:
    def test_without_a_target_the_plan_is_whole(self, project: Project) -> None:
        plan = build(project, desired(A, B), observed())
        assert (len(plan.changes), plan.kept, plan.records_state, plan.warnings) == (2, (), True, ())

    def test_components_outside_the_target_are_unchanged_and_stay_managed(self, project: Project) -> None:
        snapshot = observed(A, B, C, applied=(A, B))
        plan = build(project, desired(number("A__c", 4), C), snapshot, targets=(A.address,))
        assert [change.address for change in plan.changes] == [A.address]
        assert (plan.kept, plan.records_state, plan.refusals) == ((B,), False, ())
        assert plan.warnings == ("limited to 1 address by --target; all other changes are left out",)

    def test_several_are_counted(self, project: Project) -> None:
        (warning,) = build(project, desired(A, B), observed(), targets=(A.address, B.address)).warnings
        assert warning.startswith("limited to 2 addresses by --target")

    def test_a_refusal_of_a_target_stays(self, project: Project) -> None:
        plan = build(project, desired(A, B), observed(A, B), targets=(A.address,))
        assert [refusal.address for refusal in plan.refusals] == [A.address]

    def test_unknown_ones_are_named_in_order(self, project: Project) -> None:
        with pytest.raises(UsageError, match=r"not in this plan: CustomField:Contact.B__c, CustomField:Contact.C__c\."):
            build(project, desired(A), observed(), targets=(C.address, A.address, B.address))


def test_records_of_others_are_no_reason_to_refuse(project: Project) -> None:
    idle = Component("User", USER.full_name, {**USER.body, "IsActive": False})
    plan = build(project, desired(records=(USER,)), observed(idle))
    assert ([change.action.value for change in plan.changes], plan.refusals) == (["update"], ())


def test_a_permission_set_outside_as_is_gets_the_label_of_the_config(project: Project) -> None:
    changed_field = Component("CustomField", A.full_name, {**A.body, "label": "Theirs", "description": "Theirs"})
    generated = desired(A)
    assert keep_as_is(project_with(project, as_is=(str(SET),)), generated, observed(changed_field)) == generated


def test_records_do_not_count_towards_the_limit_of_changes(project: Project) -> None:
    idle = Component("User", USER.full_name, {**USER.body, "IsActive": False})
    limits = Limits(max_change="1")
    desired_state = desired(number("A__c", 4), records=(USER,))
    assert build(project, desired_state, observed(A, idle, applied=(A,)), limits=limits).refusals == ()


def test_one_mapping_of_the_relay_is_sufficient_to_refuse_missing_rights_of_a_kept_set(
    project: Project,
) -> None:
    relayed = project_with(project, as_is=(str(SET),), delivery="relay")
    (mapping,) = relayed.mappings
    second = replace(mapping, name="lead", spec=mapping.spec.model_copy(update={"delivery": "connector"}))
    two_mappings = replace(relayed, mappings=(mapping, second))
    set_in_org = Component("PermissionSet", SET.full_name, {"label": "Appcues"})
    desired_set = Component("PermissionSet", SET.full_name, {"userPermissions": {"ApiEnabled": {"enabled": True}}})
    plan = build(two_mappings, desired(set_in_org), observed(set_in_org), adopt=(SET,), generated=desired(desired_set))
    assert [refusal.address for refusal in plan.refusals] == [SET]


class TestUnusedOptions:
    def test_are_refused_in_order_each_with_its_option(self, project: Project) -> None:
        passed = (C.address, B.address)
        plan = build(project, desired(A), observed(A, applied=(A,)), adopt=passed, allow_delete=(*passed, A.address))
        assert [(refusal.address, refusal.hint.partition(",")[0]) for refusal in plan.refusals] == [
            (B.address, "remove --adopt"),
            (C.address, "remove --adopt"),
            (A.address, "remove --allow-delete"),
            (B.address, "remove --allow-delete"),
            (C.address, "remove --allow-delete"),
        ]


class TestValuesInFields:
    @pytest.mark.parametrize(("record_count", "words"), [(1, "1 record holds"), (2, "2 records hold")])
    def test_stop_a_deletion_with_their_number(self, project: Project, record_count: int, words: str) -> None:
        snapshot = observed(A, applied=(A,), values={A.address: record_count})
        (refusal,) = build(project, desired(), snapshot).refusals
        assert words in refusal.reason
        assert refusal.hint.endswith(f"pass --allow-delete {A.address} to delete its values")

    def test_stop_no_other_plan(self, project: Project) -> None:
        values = {A.address: 5, B.address: 0, C.address: None}
        snapshot = observed(A, B, applied=(A, B), values=values)
        assert build(project, desired(number("A__c", 4), C), snapshot).refusals == ()

    def test_stop_a_destroy_and_a_rollback_too(self, project: Project) -> None:
        snapshot = observed(A, applied=(A,), values={A.address: 1})
        assert build(project, desired(), snapshot, mode=Mode.DESTROY).refusals
        history = (Past("1", "now", "me", None, {A.address: None}, frozenset({A.address})),)
        snapshot = replace(snapshot, applied=replace(snapshot.applied, history=history))
        assert build(project, desired(), snapshot, mode=Mode.ROLLBACK).refusals
        allowed = build(project, desired(), snapshot, mode=Mode.ROLLBACK, allow_delete=(A.address,))
        assert allowed.refusals == ()


def test_a_component_with_an_unknown_secret_is_not_put_back(project: Project) -> None:
    former_message = Component(
        "WorkflowOutboundMessage", "Contact.Ours", {"endpointUrl": "https://x.example.com (hidden 0123456789ab)"}
    )
    own_message = Component(
        "WorkflowOutboundMessage", "Contact.Ours", {"endpointUrl": "https://relay.example.com/${secret:S}"}
    )
    history = (Past("1", "now", "me", None, {own_message.address: former_message.body}, frozenset()),)
    snapshot = observed(own_message, applied=(own_message,))
    snapshot = replace(snapshot, applied=replace(snapshot.applied, history=history))
    (refusal,) = build(project, desired(), snapshot, mode=Mode.ROLLBACK).refusals
    assert (refusal.address, "does not know" in refusal.reason) == (own_message.address, True)


class TestReplaced:
    def changes(
        self, project: Project, *desired_components: Component, applied: tuple[Component, ...] = ()
    ) -> dict[str, bool]:
        project = project_with(project, delivery="relay", replaces=(str(MESSAGE.address),))
        plan = build(project, desired(*desired_components), observed(MESSAGE, applied=applied))
        return {str(change.address): change.replaced for change in plan.changes}

    def test_is_a_message_that_is_neither_configured_nor_managed(self, project: Project) -> None:
        assert self.changes(project) == {str(MESSAGE.address): True}
        assert self.changes(project, MESSAGE) == {str(MESSAGE.address): False}
        assert self.changes(project, applied=(MESSAGE,)) == {str(MESSAGE.address): False}


class TestMessagesOfTheConnector:
    LISTED = ("Contact.AppcuesOnB", "Contact.AppcuesOnA", "Contact.AppcuesOnOld")

    def named(self, project: Project, **spec: Any) -> list[str]:
        project = project_with(project, **spec)
        plan = build(project, desired(), observed(messages=self.LISTED))
        return [warning.partition(" is another")[0] for warning in plan.warnings if " is another message" in warning]

    def test_are_named_in_order_where_the_relay_takes_its_place(self, project: Project) -> None:
        replaces = ("WorkflowRule:Contact.AppcuesOnA", "WorkflowOutboundMessage:Contact.AppcuesOnOld")
        assert self.named(project, delivery="relay", replaces=replaces) == [
            "WorkflowOutboundMessage:Contact.AppcuesOnA",
            "WorkflowOutboundMessage:Contact.AppcuesOnB",
        ]

    def test_are_ignored_otherwise(self, project: Project) -> None:
        replaces = ("WorkflowOutboundMessage:Contact.AppcuesOnOld",)
        assert self.named(project, delivery="relay", replaces=()) == []
        assert self.named(project, delivery="connector", replaces=replaces) == []


class TestMissingRightsOfAKeptSet:
    def lacking(self, project: Project, generated: dict[str, Any], components: dict[str, Any], **more: Any) -> str:
        full_set, kept_set = (Component("PermissionSet", SET.full_name, body) for body in (generated, components))
        project = project_with(project, **{"as_is": (str(SET),), "delivery": "connector", **more})
        plan = build(
            project, desired(kept_set, A), observed(kept_set), adopt=(SET, A.address), generated=desired(A, full_set)
        )
        return next((warning for warning in plan.warnings if "lacks" in warning), "")

    def test_is_named_right_by_right(self, project: Project) -> None:
        generated = {
            "objectPermissions": {"Contact": {"allowRead": True, "allowEdit": True, "viewAllRecords": True}},
            "userPermissions": {"ApiEnabled": {"enabled": True}, "EditEvent": {"enabled": True}},
            "fieldPermissions": {"Contact.A__c": {"readable": True, "editable": False}},
        }
        kept_body = {
            "objectPermissions": {"Contact": {"allowRead": True}},
            "userPermissions": {"ApiEnabled": {"enabled": True}},
        }
        assert "lacks Contact (edit, view all), Contact.A__c (read), EditEvent, which" in self.lacking(
            project, generated, kept_body
        )

    def test_is_ignored_if_the_set_is_not_in_as_is(self, project: Project) -> None:
        generated = {"userPermissions": {"ApiEnabled": {"enabled": True}}}
        assert self.lacking(project, generated, {})
        assert not self.lacking(project, generated, {}, as_is=())


def test_the_permission_set_is_known_by_its_name_among_the_others(project: Project) -> None:
    viewer = Component("PermissionSet", "Appcues_Viewer", {"label": "Viewer"})
    plan = build(project, desired(permissions(), viewer), observed())
    assert [change.address.full_name for change in plan.changes] == ["Appcues_Integration", "Appcues_Viewer"]


@pytest.mark.parametrize(
    ("managed", "owned", "changes"),
    [((), (), False), ((A,), (), True), ((), (A,), True)],
    ids=["released since", "managed by that apply", "released by that apply"],
)
def test_a_rollback_changes_no_component_that_was_released_since(
    project: Project, managed: tuple[Component, ...], owned: tuple[Component, ...], *, changes: bool
) -> None:
    before = number("A__c", 4)
    past = Past("1", "now", "me", None, {A.address: before.body}, frozenset(component.address for component in owned))
    snapshot = observed(A, applied=managed)
    snapshot = replace(snapshot, applied=replace(snapshot.applied, history=(past,)))
    plan = build(project, desired(), snapshot, mode=Mode.ROLLBACK)
    warning = f"{A.address} is not managed any more, so the rollback does not change it"
    assert ([change.address for change in plan.effective] == [A.address], warning in plan.warnings) == (
        changes,
        not changes,
    )
