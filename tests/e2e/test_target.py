"""A plan with --target changes only these addresses, and the others stay managed."""

from __future__ import annotations

import pytest

FIELD = "CustomField:Contact.Appcues_NPS_Score__c"
MESSAGE = "WorkflowOutboundMessage:Contact.Appcues_contact"


def test_only_the_target_is_changed_and_the_other_changes_remain_planned(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    all_actions = applied.actions()
    assert len(all_actions) == 3
    limited = applied.plan("--target", MESSAGE)
    assert limited.last_line == "Plan: 0 to add, 1 to change, 0 to destroy."
    assert "Warning: limited to 1 address by --target; all other changes are left out" in limited.out
    assert applied.apply("--target", MESSAGE).code == 0
    assert applied.actions() == {address: action for address, action in all_actions.items() if address != MESSAGE}
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


def test_a_target_is_adopted_without_other_changes(applied):
    assert applied.run("state", "forget", MESSAGE).code == 0
    assert MESSAGE not in applied.run("state", "list").out.splitlines()
    adopted = applied.apply("--target", MESSAGE, "--adopt", MESSAGE)
    assert adopted.code == 0, adopted.err
    assert MESSAGE in applied.run("state", "list").out.splitlines()
    assert applied.plan("--target", MESSAGE).last_line.startswith("No changes.")


@pytest.mark.parametrize("option", ["--adopt", "--allow-delete"])
def test_an_option_about_an_address_that_is_left_out_is_refused(applied, option):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    for address in (FIELD, "CustomField:Contact.Nope__c"):
        refused = applied.apply("--target", MESSAGE, option, address)
        assert (refused.code, MESSAGE in applied.actions()) == (1, True)
        assert f"--target leaves out addresses of {option}: {address}." in refused.err


def test_refusals_of_the_whole_project_apply_to_a_target_too(applied):
    applied.edit("sfcode.yaml", "name: Appcues\n", "name: Acme\nid: Appcues\n")
    reason = "the project Appcues is called Appcues in this org, and Acme in sfcode.yaml"
    for words in ((), ("--target", MESSAGE.replace("Appcues_", "Acme_"))):
        refused = applied.plan(*words)
        assert (refused.code, reason in refused.out) == (1, True), refused.out
