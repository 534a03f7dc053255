"""What was in an org before sfcode stays as it is, or goes when the relay takes its place: as the config says."""

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
    def test_before_the_first_apply_it_is_what_the_org_has(self, project):
        there = permissions(A__c=True, Theirs__c=True)
        kept = keep_as_is(saying(project, as_is=(str(SET),)), desired(permissions(A__c=False)), observed(there))
        assert kept.components == (there,)

    def test_afterwards_it_is_what_was_taken_on_so_that_drift_is_undone(self, project):
        taken, drifted = permissions(A__c=True), permissions(A__c=True, More__c=True)
        project = saying(project, as_is=(str(SET),))
        seen = observed(drifted, applied=(taken,))
        kept = keep_as_is(project, desired(permissions(A__c=False)), seen)
        assert kept.components == (taken,)
        plan = build(project, kept, seen, secrets=SECRETS, adopt=[SET])
        assert [change.action for change in plan.changes] == [Action.UPDATE]
        assert not plan.refusals

    def test_an_org_that_lacks_it_gets_what_the_mappings_ask_for(self, project):
        made = desired(permissions(A__c=False))
        assert keep_as_is(saying(project, as_is=(str(SET),)), made, observed()) == made

    def test_what_is_not_listed_is_what_the_mappings_ask_for(self, project):
        made = desired(number("A__c", 4))
        assert keep_as_is(saying(project), made, observed(number("A__c", 3))) == made

    @pytest.mark.parametrize(
        ("description", "kept"),
        [("For Appcues, see the wiki", True), (None, True), ("Managed by sfcode: do not", False)],
    )
    def test_a_set_that_the_config_names_keeps_the_words_that_somebody_gave_it(self, project, description, kept):
        words = {"label": "Theirs", **({"description": description} if description else {})}
        if description and not kept:
            words["description"] = "Managed by sfcode: do not edit by hand, it is replaced as a whole. Old words."
        there = replace(permissions(A__c=True), body={**permissions(A__c=True).body, **words})
        ours = permissions(A__c=False)
        ours = replace(ours, body={**ours.body, "description": "Managed by sfcode: do not edit by hand. New words."})
        found = keep_as_is(saying(project, named=SET.full_name), desired(ours), observed(there))
        (body,) = (component.body for component in found.components)
        assert body["fieldPermissions"] == ours.body["fieldPermissions"]
        expected = words if kept else {name: ours.body[name] for name in ("label", "description")}
        assert {name: body[name] for name in ("label", "description") if name in body} == expected


class TestWhatASetLacks:
    def judge(self, project, wanted, there, **said):
        project = saying(project, as_is=(str(SET),), **said)
        seen = observed(there)
        kept = keep_as_is(project, desired(wanted), seen)
        return build(project, kept, seen, secrets=SECRETS, adopt=[SET], generated=desired(wanted))

    def test_is_said_where_the_connector_carries_the_data(self, project):
        plan = self.judge(project, permissions(A__c=True, B__c=False), permissions(A__c=False))
        (warning,) = plan.warnings
        assert "is kept as it is (as_is) and lacks Contact.A__c (edit), Contact.B__c (read), which access:" in warning
        assert not plan.refusals

    def test_is_refused_where_the_relay_is_to_have_it(self, project):
        plan = self.judge(project, permissions(A__c=True), permissions(), delivery="relay")
        (refusal,) = plan.refusals
        assert (refusal.address, "take PermissionSet:Appcues_Integration out of as_is" in refusal.hint) == (SET, True)

    def test_is_nothing_where_it_has_more(self, project):
        wider = permissions(A__c=True, B__c=True)
        plan = self.judge(project, permissions(A__c=True), wider, delivery="relay")
        assert (plan.warnings, plan.refusals) == ((), ())


class TestReplaced:
    def test_what_sends_today_stays_while_the_connector_carries_the_data(self, project):
        plan = build(saying(project, replaces=REPLACES), desired(), observed(MESSAGE, RULE), secrets=SECRETS)
        assert plan.changes == ()

    def test_it_goes_with_the_relay_and_nobody_has_to_adopt_it(self, project, tmp_path):
        project = saying(project, replaces=REPLACES, delivery="relay")
        plan = build(project, desired(number("A__c")), observed(MESSAGE, RULE), secrets=SECRETS)
        gone = {change.address for change in plan.changes if change.action is Action.DELETE}
        assert gone == {MESSAGE.address, RULE.address}
        assert not plan.refusals
        save(plan, tmp_path / "saved")
        saved = load(tmp_path / "saved")
        assert {change.address for change in saved.changes if change.replaced} == gone

    def test_what_is_gone_already_is_no_change(self, project):
        project = saying(project, replaces=REPLACES, delivery="relay")
        assert build(project, desired(), observed(), secrets=SECRETS).is_empty

    def test_a_move_is_said_to_have_an_order(self, project):
        project = saying(project, replaces=REPLACES, delivery="relay")
        (warning,) = build(project, desired(), observed(MESSAGE), secrets=SECRETS).warnings
        assert "create no webhook in Appcues before its integration is deactivated" in warning

    def test_only_other_messages_of_the_connector_are_named(self, project):
        project = saying(project, replaces=("WorkflowOutboundMessage:Contact.AppcuesOnX_1",), delivery="relay")
        listed = ["Contact.AppcuesOnX_1", "Contact.AppcuesOnX_2", "Contact.Other", "Lead.AppcuesOnX_3"]
        (warning,) = build(project, desired(), observed(messages=tuple(listed)), secrets=SECRETS).warnings
        assert warning.startswith("WorkflowOutboundMessage:Contact.AppcuesOnX_2 is another message")
