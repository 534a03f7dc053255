"""Refusals of an org or of sfcode are reported at the YAML line, and nothing is changed."""

from __future__ import annotations

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from tests.e2e.org import component, deploy

MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")
FORMULA = Component(
    "CustomField",
    "Contact.Appcues_User_Id__c",
    {"formula": "TEXT(Product_User_Id__c)", "formulaTreatBlanksAs": "BlankAsZero", "label": "Id", "type": "Text"},
)


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


@pytest.fixture
def invalid(journey):
    """Return a project whose own template sends a field that the org does not have."""
    shipped = (journey.folder / "config").resolve().parent
    template = shipped / "templates" / "metadata" / "WorkflowOutboundMessage.xml.j2"
    template.parent.mkdir(parents=True)
    from sfcode.config.files import shipped_templates

    text = (shipped_templates() / template.name).read_text()
    assert "<fields>{{ name }}</fields>" in text
    template.write_text(text.replace("<fields>{{ name }}</fields>", "<fields>{{ name }}x</fields>"))
    return journey


def test_a_failed_deployment_changes_no_metadata_and_names_the_yaml_lines(invalid):
    refused = invalid.apply()
    assert refused.code == 1
    assert "The org refused the deployment 0Af" in refused.err
    assert "no metadata was changed:" in refused.err
    lines = [line for line in refused.err.splitlines() if line.startswith("  - config/mappings/")]
    assert any(line.startswith("  - config/mappings/contact.yaml:") for line in lines), refused.err
    assert any("WorkflowOutboundMessage:Contact.Appcues_contact:" in line for line in lines), refused.err
    with local_org(invalid) as org:
        for address in (MESSAGE, Address("Flow", "Appcues_contact"), Address("CustomField", FORMULA.full_name)):
            assert component(org, address) is None
    (invalid.folder / "templates").rename(invalid.folder / "unused")
    assert invalid.apply().code == 0
    assert invalid.actions() == {}


def test_an_existing_field_is_refused_until_adopted(journey):
    with local_org(journey) as org:
        deploy(org, FORMULA)
    refused = journey.apply()
    assert refused.code == 1
    assert f"CustomField:{FORMULA.full_name} exists in the org, and sfcode did not create it" in refused.err
    with local_org(journey) as org:
        assert component(org, MESSAGE) is None
    assert journey.plan("--detailed-exitcode").code == 1
    adopt = ("--adopt", f"CustomField:{FORMULA.full_name}")
    result = journey.plan(*adopt)
    assert "# (adopted: it existed before sfcode)" in result.out
    assert "~ formula" in result.out
    assert journey.apply(*adopt).code == 0
    assert journey.actions() == {}


def test_a_plan_that_is_refused_is_not_saved(journey):
    with local_org(journey) as org:
        deploy(org, FORMULA)
    refused = journey.plan("--out", "plan.json")
    assert refused.code == 1
    assert "Nothing was saved to plan.json: the plan is refused." in refused.out
    assert not (journey.folder / "plan.json").exists()


def test_unmanaged_components_in_the_same_file_are_not_changed(applied):
    message_of_others = Component(
        "WorkflowOutboundMessage",
        "Contact.Theirs",
        {
            "apiVersion": "63.0",
            "endpointUrl": "https://theirs.example.com/x",
            "fields": ["Id"],
            "includeSessionId": False,
            "integrationUser": "appcues.integration@example.com.local",
            "name": "Theirs",
            "protected": False,
            "useDeadLetterQueue": False,
        },
    )
    with local_org(applied) as org:
        deploy(org, message_of_others)
    assert applied.actions() == {}
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert applied.apply().code == 0
    with local_org(applied) as org:
        assert component(org, Address("WorkflowOutboundMessage", "Contact.Theirs")) is not None


def test_a_missing_secret_is_refused_before_the_first_request(journey):
    journey.environ = {"SFCODE_ENV": "local"}
    refused = journey.plan()
    assert refused.code == 1
    assert "the secret SFCODE_RELAY_OUTBOUND_SECRET is not set" in refused.err
    assert not (journey.folder / ".sfcode").exists()


def test_validate_and_render_need_no_secret(journey):
    journey.environ = {"SFCODE_ENV": "local"}
    assert journey.run("validate").code == 0
    assert journey.run("render", "--out", "out").code == 0


def test_without_a_terminal_and_auto_approve_apply_is_refused(journey):
    refused = journey.run("apply")
    assert refused.code == 1
    assert "Not a terminal: cannot ask for approval." in refused.err
    with local_org(journey) as org:
        assert component(org, MESSAGE) is None


def test_render_never_overwrites_a_file(journey):
    assert journey.run("render", "--out", "out").code == 0
    second_result = journey.run("render", "--out", "out")
    assert second_result.code == 1
    assert "out is not empty." in second_result.err


def test_json_output_is_one_envelope(journey):
    planned = journey.run("--json", "plan").json
    assert (planned["status"], planned["result"]["summary"]["update"]) == (0, 0)
    second_result = journey.run("--json", "apply", "--auto-approve")
    result = second_result.json["result"]
    assert result["added"] == planned["result"]["summary"]["create"]
    assert result["deployments"][0].startswith("0Af")
    assert "Deploying" in second_result.err


def test_quiet_prints_only_results(journey):
    result = journey.run("--quiet", "apply", "--auto-approve")
    assert "Deploying" not in result.out
    assert "Left to do" not in result.out
    assert "Apply complete!" in result.out


def test_attach_follows_a_deployment_to_its_end(applied):
    result = applied.run("--json", "apply", "--auto-approve")
    assert result.json["result"]["deployments"] == []
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    deploy_id = applied.run("--json", "apply", "--auto-approve").json["result"]["deployments"][0]
    attached = applied.run("apply", "--attach", deploy_id)
    assert attached.code == 0
    assert f"The deployment {deploy_id} succeeded." in attached.out
    assert applied.run("apply", "--attach", "0Af000000000000AAA").code == 1
    assert "is not the ID of a deployment" in applied.run("apply", "--attach", "nonsense").err
