"""Manual changes in the org are distinguished from changes of the config."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.journey import SECRET
from tests.e2e.org import component, deploy, deploy_field_label, opened

SCORE = "CustomField:Contact.Appcues_NPS_Score__c"
MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")
USER = "appcues.integration@example.com.local"


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


@pytest.fixture
def drifted(applied):
    """Return an applied project in whose org a field was renamed by hand."""
    with local_org(applied) as org:
        deploy_field_label(org, "Contact.Appcues_NPS_Score__c", "Somebody was here")
    return applied


def test_no_drift_is_one_line_and_exits_with_0(applied):
    result = applied.plan("--refresh-only", "--detailed-exitcode")
    assert (result.code, result.out.count("\n")) == (0, 1)
    assert result.out.startswith("No drift. Northwind Traders (00D")


def test_drift_is_shown_from_the_applied_to_the_present_value_and_exits_with_2(drifted):
    result = drifted.plan("--refresh-only", "--detailed-exitcode")
    assert result.code == 2
    assert "Note: objects have changed outside of sfcode" in result.out
    assert f"  # {SCORE} has changed\n" in result.out
    assert '~ label = "Appcues NPS Score" -> "Somebody was here"' in result.out
    assert result.last_line == "Drift: 1 changed, 0 deleted."


def test_a_plan_says_which_attribute_the_org_changed_and_which_the_config(drifted):
    template = drifted.folder / "templates" / "metadata" / "CustomField.xml.j2"
    template.parent.mkdir(parents=True)
    from sfcode.config.files import shipped_templates

    shipped = (shipped_templates() / template.name).read_text()
    template.write_text(shipped.replace("<precision>2</precision>", "<precision>3</precision>"))
    output = drifted.plan().out
    assert f"  # {SCORE} will be updated in-place\n  # (it was changed in the org since the last apply)\n" in output
    assert '~ label     = "Somebody was here" -> "Appcues NPS Score"  # changed in the org\n' in output
    assert "~ precision = 2 -> 3\n" in output
    template.write_text(shipped.replace("<label>{{ field.label }}</label>", "<label>{{ field.label }}!</label>"))
    output = drifted.plan().out
    assert '-> "Appcues NPS Score!"  # changed in the org and in the config\n' in output
    causes = {
        (change["address"], attribute["path"]): attribute["cause"]
        for change in drifted.run("plan", "--format", "json").json["resource_changes"]
        for attribute in change["change"]["attributes"]
    }
    assert causes[SCORE, "label"] == "both"
    assert causes["CustomField:Lead.Appcues_NPS_Score__c", "label"] == "config"


def test_drift_is_in_the_plan_only_where_the_plan_touches_it(drifted):
    document = drifted.run("plan", "--format", "json").json
    assert [drift["address"] for drift in document["resource_drift"]] == [SCORE]
    template = drifted.folder / "templates" / "metadata" / "CustomField.xml.j2"
    template.parent.mkdir(parents=True)
    from sfcode.config.files import shipped_templates

    # The config now asks for the label that was set by hand, so there is no change and no drift to report.
    label = '{{ "Somebody was here" if field.kind == "nps_score" and field.object == "Contact" else field.label }}'
    text = (shipped_templates() / template.name).read_text()
    template.write_text(text.replace("<label>{{ field.label }}</label>", f"<label>{label}</label>"))
    document = drifted.run("plan", "--format", "json").json
    assert document["resource_drift"] == []
    assert document["summary"] == {"create": 0, "update": 0, "delete": 0}
    assert drifted.apply().code == 0
    assert drifted.plan("--refresh-only", "--detailed-exitcode").code == 0


def test_a_component_deleted_in_the_org_is_drift_and_is_created_again(applied):
    with local_org(applied) as org:
        field = component(org, Address("CustomField", "Lead.Appcues_NPS_Feedback__c"))
        assert field is not None
        deploy(org, deleted=(field.address,))
    result = applied.plan("--refresh-only", "--detailed-exitcode")
    assert result.code == 2
    assert f"  # {field.address} has been deleted\n" in result.out
    output = applied.plan().out
    assert f"  # {field.address} will be created\n  # (it was deleted in the org since the last apply)\n" in output
    assert applied.apply().code == 0
    assert applied.plan("--refresh-only", "--detailed-exitcode").code == 0


def test_a_deactivated_integration_user_is_drift(applied):
    with local_org(applied) as org, opened(org) as client:
        (row,) = client.query("SELECT Id FROM User WHERE Username = {}", USER)
        client.update("User", row["Id"], {"IsActive": False})
    result = applied.plan("--refresh-only", "--detailed-exitcode")
    assert result.code == 2
    assert "~ IsActive = true -> false" in result.out
    assert applied.actions() == {f"User:{USER}": "update"}
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_a_rotated_secret_is_a_change_of_the_config_and_an_unknown_endpoint_is_drift(applied):
    applied.environ = {**applied.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "rotated-" + SECRET}
    output = applied.plan().out
    assert "(previous ${secret:SFCODE_RELAY_OUTBOUND_SECRET})" in output
    assert "# changed in the org" not in output
    assert applied.plan("--refresh-only", "--detailed-exitcode").code == 0
    with local_org(applied) as org:
        message = component(org, MESSAGE)
        assert message is not None
        deploy(org, replace(message, body={**message.body, "endpointUrl": "https://stranger.example.com/collect"}))
    output = applied.plan().out
    assert "https://stranger.example.com/(hidden " in output
    assert "# changed in the org and in the config" in output
    assert applied.apply().code == 0
    assert applied.actions() == {}


def test_refresh_only_excludes_options_of_a_plan(applied):
    refused = applied.plan("--refresh-only", "--out", "plan.json")
    assert refused.code == 1
    assert "--refresh-only shows drift and makes no plan." in refused.err


def test_a_rollback_restores_the_result_of_the_last_apply_and_names_the_drift(drifted):
    """An apply overwrote a colleague's change; rolling this apply back does not restore the change."""
    drifted.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert drifted.apply().code == 0
    result = drifted.run("rollback", "--auto-approve")
    assert result.code == 0, result.err
    assert f"Warning: {SCORE} had been changed in the org before that apply" in result.out
    with local_org(drifted) as org:
        assert component(org, Address.parse(SCORE)).body["label"] == "Appcues NPS Score"


def test_a_change_that_a_rollback_undoes_and_that_was_drift_before_is_named(drifted):
    drifted.edit("mappings/contact.yaml", "    score: {field: Appcues_NPS_Score__c, create: true}\n", "")
    assert drifted.apply("--allow-delete", SCORE).code == 0
    result = drifted.run("rollback", "--auto-approve")
    assert result.code == 0, result.err
    assert f"Warning: {SCORE} had been changed in the org before that apply" in result.out
    with local_org(drifted) as org:
        assert component(org, Address.parse(SCORE)).body["label"] == "Appcues NPS Score"


def test_an_unused_secret_is_not_drift(applied):
    applied.edit("mappings/contact.yaml", "delivery: relay", "delivery: connector")
    applied.edit("mappings/contact.yaml", "  trigger: flow\n", "")
    applied.edit(
        "mappings/contact.yaml", "  on: [create, update] # and only when one of the fields below has changed\n", ""
    )
    (applied.folder / "config/mappings/lead.yaml").unlink()
    applied.edit("sfcode.yaml", "  outbound_secret: ${secret:SFCODE_RELAY_OUTBOUND_SECRET}\n", "")
    applied.environ = {name: value for name, value in applied.environ.items() if "SECRET" not in name}
    assert applied.plan("--refresh-only").out.startswith("No drift.")
    assert "changed in the org" not in applied.plan().out


def test_a_renamed_secret_is_not_drift(applied):
    applied.environ = {**applied.environ, "NEW_NAME": SECRET}
    applied.edit("sfcode.yaml", "${secret:SFCODE_RELAY_OUTBOUND_SECRET}", "${secret:NEW_NAME}")
    planned = applied.run("plan")
    assert planned.code == 0, planned.err
    assert "changed in the org" not in planned.out
    assert planned.last_line == "Plan: 0 to add, 0 to change, 0 to destroy. Relay: 1 to change.", planned.out
    assert applied.apply().code == 0
    assert applied.run("plan", "--detailed-exitcode").code == 0
    assert applied.run("plan", "--refresh-only", "--detailed-exitcode").code == 0
