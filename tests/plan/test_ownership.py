"""Components that existed before sfcode are kept, or replaced by the relay, as the config defines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action
from sfcode.plan.document import load, save
from sfcode.plan.ownership import keep_as_is
from tests.plan.samples import SECRETS, build, desired, number, observed, permissions

SET = Address("PermissionSet", "Appcues_Integration")
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Old", {"name": "Old", "endpointUrl": "https://a.example.com/"})
RULE = Component("WorkflowRule", "Contact.Old", {"active": True})
REPLACES = (str(RULE.address), str(MESSAGE.address))


def saying(project, *, as_is=(), named=None, delivery="connector", replaces=()):
    user = project.settings.integration_user.model_copy(update={"permission_set": named})
    settings = project.settings.model_copy(update={"as_is": as_is, "integration_user": user})
    (mapping,) = project.mappings
    spec = mapping.spec.model_copy(update={"delivery": delivery, "replaces": replaces})
    return replace(project, settings=settings, mappings=(replace(mapping, spec=spec),))


class TestAsIs:
    def test_before_the_first_apply_an_adopted_component_is_that_of_the_org(self, project):
        set_in_org = permissions(A__c=True, Theirs__c=True)
        desired_state = keep_as_is(
            saying(project, as_is=(str(SET),)), desired(permissions(A__c=False)), observed(set_in_org)
        )
        assert desired_state.components == (set_in_org,)

    def test_after_an_apply_drift_of_an_adopted_component_is_reverted(self, project):
        adopted_set, drifted = permissions(A__c=True), permissions(A__c=True, More__c=True)
        project = saying(project, as_is=(str(SET),))
        snapshot = observed(drifted, applied=(adopted_set,))
        desired_state = keep_as_is(project, desired(permissions(A__c=False)), snapshot)
        assert desired_state.components == (adopted_set,)
        plan = build(project, desired_state, snapshot, secrets=SECRETS, adopt=[SET])
        assert [change.action for change in plan.changes] == [Action.UPDATE]
        assert not plan.refusals

    def test_a_missing_adopted_component_is_created_as_the_mappings_need_it(self, project):
        desired_state = desired(permissions(A__c=False))
        assert keep_as_is(saying(project, as_is=(str(SET),)), desired_state, observed()) == desired_state

    def test_a_component_outside_as_is_follows_the_mappings(self, project):
        desired_state = desired(number("A__c", 4))
        assert keep_as_is(saying(project), desired_state, observed(number("A__c", 3))) == desired_state

    @pytest.mark.parametrize(
        ("description", "attributes"),
        [("For Appcues, see the wiki", True), (None, True), ("Managed by sfcode: do not", False)],
    )
    def test_an_adopted_permission_set_keeps_its_label_and_description(self, project, description, attributes):
        words = {"label": "Theirs", **({"description": description} if description else {})}
        if description and not attributes:
            words["description"] = "Managed by sfcode: do not edit by hand, it is replaced as a whole. Old words."
        set_in_org = replace(permissions(A__c=True), body={**permissions(A__c=True).body, **words})
        own_set = permissions(A__c=False)
        own_set = replace(
            own_set, body={**own_set.body, "description": "Managed by sfcode: do not edit by hand. New words."}
        )
        desired_state = keep_as_is(saying(project, named=SET.full_name), desired(own_set), observed(set_in_org))
        (body,) = (component.body for component in desired_state.components)
        assert body["fieldPermissions"] == own_set.body["fieldPermissions"]
        expected = words if attributes else {name: own_set.body[name] for name in ("label", "description")}
        assert {name: body[name] for name in ("label", "description") if name in body} == expected


class TestMissingRights:
    def judge(self, project, desired_set, set_in_org, **settings):
        project = saying(project, as_is=(str(SET),), **settings)
        snapshot = observed(set_in_org)
        desired_state = keep_as_is(project, desired(desired_set), snapshot)
        return build(project, desired_state, snapshot, secrets=SECRETS, adopt=[SET], generated=desired(desired_set))

    def test_is_a_warning_with_delivery_connector(self, project):
        plan = self.judge(project, permissions(A__c=True, B__c=False), permissions(A__c=False))
        (warning,) = plan.warnings
        assert "is kept unchanged (as_is) and lacks Contact.A__c (edit), Contact.B__c (read), which access:" in warning
        assert not plan.refusals

    def test_is_refused_with_delivery_relay(self, project):
        plan = self.judge(project, permissions(A__c=True), permissions(), delivery="relay")
        (refusal,) = plan.refusals
        assert (refusal.address, "take PermissionSet:Appcues_Integration out of as_is" in refusal.hint) == (SET, True)

    def test_is_not_reported_if_the_set_has_more_rights(self, project):
        wider = permissions(A__c=True, B__c=True)
        plan = self.judge(project, permissions(A__c=True), wider, delivery="relay")
        assert (plan.warnings, plan.refusals) == ((), ())


class TestReplaced:
    def test_senders_are_kept_with_delivery_connector(self, project):
        plan = build(saying(project, replaces=REPLACES), desired(), observed(MESSAGE, RULE), secrets=SECRETS)
        assert plan.changes == ()

    def test_senders_are_deleted_with_delivery_relay_without_adoption(self, project, tmp_path):
        project = saying(project, replaces=REPLACES, delivery="relay")
        plan = build(project, desired(number("A__c")), observed(MESSAGE, RULE), secrets=SECRETS)
        deleted_addresses = {change.address for change in plan.changes if change.action is Action.DELETE}
        assert deleted_addresses == {MESSAGE.address, RULE.address}
        assert not plan.refusals
        save(plan, tmp_path / "saved")
        saved = load(tmp_path / "saved")
        assert {change.address for change in saved.changes if change.replaced} == deleted_addresses

    def test_a_deleted_sender_is_no_change(self, project):
        project = saying(project, replaces=REPLACES, delivery="relay")
        assert build(project, desired(), observed(), secrets=SECRETS).is_empty

    def test_a_move_to_the_relay_warns_of_the_order_of_the_steps(self, project):
        project = saying(project, replaces=REPLACES, delivery="relay")
        (warning,) = build(project, desired(), observed(MESSAGE), secrets=SECRETS).warnings
        assert "create no webhook in Appcues before its integration is deactivated" in warning

    @pytest.mark.parametrize("other", ["Contact.AppcuesOnX_2", "CONTACT.appcuesonx_2"])
    def test_only_other_messages_of_the_connector_are_reported(self, project, other):
        project = saying(project, replaces=("WorkflowOutboundMessage:Contact.AppcuesOnX_1",), delivery="relay")
        listed = ["Contact.AppcuesOnX_1", other, "Contact.Other", "Lead.AppcuesOnX_3"]
        (warning,) = build(project, desired(), observed(messages=tuple(listed)), secrets=SECRETS).warnings
        assert warning.startswith(f"WorkflowOutboundMessage:{other} is another message")
