"""The org checks a plan without deploying it."""

from __future__ import annotations

import pytest

from sfcode.config.files import shipped_templates
from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from tests.e2e.org import component, deploy

USES_LEAD = Component(
    "WorkflowRule",
    "Lead.Theirs",
    {"active": True, "formula": "NOT(ISBLANK(Appcues_User_Id__c))", "triggerType": "onCreateOnly"},
)


def test_a_check_before_the_first_apply_uses_the_signed_in_user_and_reports_it(journey):
    checked = journey.plan("--check", "--detailed-exitcode")
    assert checked.code == 2, checked.err
    assert "Checking 13 components and the applied state (0Af" in checked.err
    assert "appcues.integration@example.com.local does not exist yet, so admin" in checked.out
    assert "was used instead" in checked.out
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        assert component(org, Address("PermissionSet", "Appcues_Integration")) is None
    assert journey.apply().code == 0


def test_a_check_without_changes_starts_no_deployment(applied):
    checked = applied.plan("--check")
    assert checked.code == 0
    assert "Checking" not in checked.err


def test_a_check_that_fails_names_the_yaml_lines_and_saves_no_plan(journey):
    template = journey.folder / "templates" / "metadata" / "WorkflowOutboundMessage.xml.j2"
    template.parent.mkdir(parents=True)
    text = (shipped_templates() / template.name).read_text()
    template.write_text(text.replace("<fields>{{ name }}</fields>", "<fields>{{ name }}x</fields>"))
    refused = journey.plan("--check", "--out", "plan.json")
    assert refused.code == 1
    assert "  - config/mappings/contact.yaml:" in refused.err
    assert not (journey.folder / "plan.json").exists()


def test_deletions_after_that_of_a_flow_are_checked_before_the_flow_is_deleted(visible):
    (visible.folder / "config/mappings/lead.yaml").unlink()
    checked = visible.plan("--check")
    assert checked.code == 0, checked.err
    assert "Checking the remaining steps (0Af" in checked.err
    with serve(visible.folder / ".sfcode" / "local-org") as org:
        deploy(org, USES_LEAD)
    refused = visible.plan("--check")
    assert refused.code == 1
    assert "Lead.Appcues_User_Id__c: This custom field is referenced elsewhere" in refused.err


def test_a_check_of_a_destroy_names_the_changes_that_it_cannot_check(visible):
    checked = visible.plan("--destroy", "--check")
    assert checked.code == 0, checked.err
    assert "checked by the org, but not the deletion of PermissionSet:Appcues_Integration" in checked.out


@pytest.mark.parametrize("words", [("plan", "--check"), ("apply", "--auto-approve")])
def test_tests_are_run_when_asked_for(journey, words):
    result = journey.run(*words, "--test-level", "RunSpecifiedTests", "--tests", "NoSuchTest")
    assert result.code == 1
    assert "NoSuchTest" in result.err


def test_a_test_level_without_a_check_is_refused(journey):
    refused = journey.plan("--test-level", "RunLocalTests")
    assert refused.code == 1
    assert "--test-level runs Apex tests, which a plan without --check does not run." in refused.err
