"""A saved plan is executed exactly, or refused."""

from __future__ import annotations

import json

import pytest

from sfcode.local import serve
from tests.e2e.org import deploy_field_label


@pytest.fixture
def saved(journey):
    result = journey.plan("--out", "plan.json")
    assert result.code == 0, result.err
    assert "sfcode apply plan.json" in result.out
    return journey


def test_a_saved_plan_is_applied_without_an_approval(saved):
    plan = saved.run("show", "plan.json").last_line
    result = saved.run("apply", "plan.json")
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == f"Applying the saved plan to Northwind Traders. {plan}"
    assert saved.actions() == {}


def test_a_saved_plan_cannot_be_applied_twice(saved):
    assert saved.run("apply", "plan.json").code == 0
    second_result = saved.run("apply", "plan.json")
    assert second_result.code == 1
    assert "The org has changed since the plan was made:" in second_result.err
    assert "  - StaticResource:Appcues_sfcode_state exists now" in second_result.err


def test_a_plan_is_refused_after_the_config_changed(saved):
    saved.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    refused = saved.run("apply", "plan.json")
    assert refused.code == 1
    assert "The config has changed since the plan was made." in refused.err


def test_a_plan_is_refused_with_another_secret_than_it_was_made_with(saved):
    saved.environ = {**saved.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "another-value-of-the-secret"}
    refused = saved.run("apply", "plan.json")
    assert refused.code == 1
    assert "Secrets have changed since the plan was made: SFCODE_RELAY_OUTBOUND_SECRET." in refused.err
    assert "another-value" not in refused.err


def test_a_saved_plan_remains_valid_after_edits_without_effect_in_the_org(saved):
    """Comments, and personal data that was accepted since, are in no component."""
    path = saved.folder / "config/sfcode.yaml"
    accepted = "review:\n  personal_data:\n    accepted: [Contact.Email]\n"
    path.write_text(f"# a remark\n{path.read_text()}\n{accepted}")
    assert saved.run("apply", "plan.json").code == 0


def test_a_plan_is_refused_after_the_org_changed(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert applied.plan("--out", "plan.json").code == 0
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        deploy_field_label(org, "Contact.Appcues_NPS_Score__c", "Somebody was here")
    refused = applied.run("apply", "plan.json")
    assert refused.code == 1
    assert "  - CustomField:Contact.Appcues_NPS_Score__c was changed" in refused.err
    assert "StaticResource" not in refused.err


def test_a_plan_is_refused_for_another_org(saved, tmp_path):
    with serve(tmp_path / "other") as other_org:
        saved.environ = {**saved.environ, "SF_ACCESS_TOKEN": other_org.access_token}
        refused = saved.run("--org", other_org.url, "apply", "plan.json")
    assert refused.code == 1
    assert "The plan is for org 00D" in refused.err


def test_an_edited_plan_is_refused(saved):
    path = saved.folder / "plan.json"
    document = json.loads(path.read_text())
    document["resource_changes"] = document["resource_changes"][:1]
    path.write_text(json.dumps(document))
    refused = saved.run("apply", "plan.json")
    assert refused.code == 1
    assert "plan.json: the plan was changed after it was made" in refused.err


def test_a_protected_environment_accepts_only_a_saved_plan(journey):
    journey.edit("sfcode.yaml", "org: local", "protected: true\n    org: local")
    refused = journey.apply()
    assert refused.code == 1
    assert "Environment local is protected: only a saved plan is applied to it." in refused.err
    assert journey.plan("--out", "plan.json").code == 0
    assert journey.run("apply", "plan.json").code == 0


def test_show_needs_neither_config_nor_org(saved, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "plan.json").write_bytes((saved.folder / "plan.json").read_bytes())
    before = saved.run("show", "plan.json").out
    saved.folder = elsewhere
    assert saved.run("show", "plan.json").out == before
    assert before.rstrip().endswith("to destroy.")


def test_options_of_a_plan_are_refused_with_a_saved_plan(saved):
    refused = saved.run("apply", "plan.json", "--adopt", "Flow:Appcues_contact")
    assert refused.code == 1
    assert "A saved plan is applied unchanged." in refused.err


def test_with_a_key_only_a_plan_that_was_signed_with_it_is_applied(journey):
    assert journey.plan("--out", "unsigned.json").code == 0
    without = journey.environ
    journey.environ = {**without, "SFCODE_PLAN_KEY": "0123456789abcdef"}
    assert journey.plan("--out", "plan.json").code == 0
    assert "0123456789abcdef" not in (journey.folder / "plan.json").read_text()
    refused = journey.run("apply", "unsigned.json")
    assert (refused.code, "the plan is not signed, and SFCODE_PLAN_KEY is set" in refused.err) == (1, True)
    (journey.folder / "printed.json").write_text(journey.plan("--format", "json").out)
    assert journey.run("show", "printed.json").code == 0
    journey.environ = {**without, "SFCODE_PLAN_KEY": "another-key-0123"}
    assert "was signed with another key" in journey.run("apply", "plan.json").err
    journey.environ = {**without, "SFCODE_PLAN_KEY": "short"}
    assert "fewer than 16 characters" in journey.run("show", "plan.json").err
    journey.environ = {**without, "SFCODE_PLAN_KEY": "0123456789abcdef"}
    assert journey.run("apply", "plan.json").code == 0
