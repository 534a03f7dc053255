"""A plan with --target changes only these addresses, and the others stay managed."""

from __future__ import annotations

MESSAGE = "WorkflowOutboundMessage:Contact.Appcues_contact"


def test_only_the_target_is_changed_and_the_other_changes_remain_planned(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    everything = applied.actions()
    assert len(everything) == 3
    limited = applied.plan("--target", MESSAGE)
    assert limited.last_line == "Plan: 0 to add, 1 to change, 0 to destroy."
    assert "Warning: limited to 1 address by --target; all other changes are left out" in limited.out
    assert applied.apply("--target", MESSAGE).code == 0
    assert applied.actions() == {address: action for address, action in everything.items() if address != MESSAGE}
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_a_targeted_plan_can_be_saved_and_applied(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert applied.plan("--target", MESSAGE, "--out", "plan.json").code == 0
    assert applied.run("apply", "plan.json").code == 0
    assert MESSAGE not in applied.actions()


def test_a_target_that_is_not_in_the_plan_is_refused(applied):
    refused = applied.plan("--target", "Flow:Nope")
    assert refused.code == 1
    assert "--target names addresses that are not in this plan: Flow:Nope." in refused.err
