"""Rollback restores the replaced values of an apply, from any machine."""

from __future__ import annotations

import pytest

from sfcode.apply.execute import Execution
from sfcode.apply.lock import Lock
from sfcode.cli.rollback import REVERT_CONFIG
from sfcode.config import load
from sfcode.errors import DeployFailed
from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from sfcode.org import DeployOptions
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.next_state import Mark
from sfcode.plan.planner import make_plan
from tests.e2e.journey import SECRET
from tests.e2e.org import assign, component, deploy, opened, show_fields

FORMULA = Component(
    "CustomField",
    "Contact.Appcues_User_Id__c",
    {"formula": "TEXT(Product_User_Id__c)", "formulaTreatBlanksAs": "BlankAsZero", "label": "Id", "type": "Text"},
)
MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def applied_id(journey, *words):
    result = journey.run("--json", "apply", "--auto-approve", *words)
    assert result.code == 0, result.out
    return result.json["result"]["apply_id"]


def test_a_rollback_restores_a_change_and_the_next_plan_makes_it_again(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    apply_id = applied_id(applied)
    result = applied.run("rollback", "--auto-approve")
    assert result.code == 0, result.err
    assert '+ "Plan__c",' in result.out
    assert result.out.endswith(f"\n{REVERT_CONFIG}\n")
    with local_org(applied) as org:
        message = component(org, MESSAGE)
        assert message is not None
        assert "Plan__c" in message.body["fields"]
        assert SECRET in str(message.body["endpointUrl"]), "with the secret, not its placeholder"
    assert set(applied.actions()) == {
        str(MESSAGE),
        "Flow:Appcues_contact",
        "PermissionSet:Appcues_Integration",
    }
    applied.edit("mappings/contact.yaml", "  attributes:\n", "  attributes:\n    plan: Plan__c\n")
    assert applied.actions() == {}
    listed = applied.run("--json", "rollback", "--list").json["result"]
    assert [row["id"] for row in listed][1] == apply_id, "the rollback is an apply too, and comes first"


def test_a_refused_restoration_is_reported_before_a_flow_is_deleted(visible):
    project, secrets = load(visible.folder / "config", "local"), {"SFCODE_RELAY_OUTBOUND_SECRET": SECRET}
    with local_org(visible) as org, opened(org) as client:
        plan_result = make_plan(project, client, secrets, PlanRequest(Mode.ROLLBACK))
        assign(client, "Appcues_Viewer")
        options, mark = DeployOptions(), Mark(by="me", at="2026-01-01T00:00:00Z")
        with pytest.raises(DeployFailed, match="PermissionSet:Appcues_Viewer"):
            Execution(
                plan_result.plan, client, secrets, origins=(), mark=mark, options=options, report=print, lock=Lock()
            ).run()
        assert component(org, Address("Flow", "Appcues_contact")) is not None


def test_a_rollback_restores_adopted_components_as_unmanaged(journey):
    contact = journey.folder / "config/mappings/contact.yaml"
    later = contact.rename(journey.folder / "later.yaml")
    assert journey.apply().code == 0
    with local_org(journey) as org:
        deploy(org, FORMULA)
        stored_component = component(org, FORMULA.address)
    later.rename(contact)
    apply_id = applied_id(journey, "--adopt", str(FORMULA.address))
    with local_org(journey) as org:
        show_fields(org)
    result = journey.run("rollback", apply_id, "--auto-approve")
    assert result.code == 0, result.err
    with local_org(journey) as org:
        assert component(org, FORMULA.address) == stored_component
        assert component(org, MESSAGE) is None
        assert component(org, Address("Flow", "Appcues_lead")) is not None
    refused = journey.plan()
    assert refused.code == 1
    assert f"{FORMULA.address} exists in the org, and sfcode did not create it" in refused.out
    contact.unlink()
    assert journey.actions() == {}


def test_a_rollback_names_and_does_not_restore_a_manual_change_that_the_apply_overwrote(applied):
    with local_org(applied) as org:
        message = component(org, MESSAGE)
        assert message is not None
        body = {**message.body, "endpointUrl": "https://stranger.example.com/token-of-a-stranger"}
        deploy(org, Component(message.type, message.full_name, body))
    assert applied.apply().code == 0
    result = applied.run("rollback", "--auto-approve")
    assert result.code == 0
    assert (
        f"Warning: {MESSAGE} had been changed in the org before that apply; the rollback restores the value from sfcode"
        in result.out
    )
    assert "stranger" not in result.out + result.err
    assert applied.actions() == {}


def test_an_unknown_apply_id_is_refused_with_the_known_ids(applied):
    refused = applied.run("rollback", "deadbeef", "--auto-approve")
    assert refused.code == 1
    assert "The history of this org has no apply deadbeef." in refused.err
    assert "It has: " in refused.err


def test_a_rollback_without_an_apply_is_refused(journey):
    refused = journey.run("rollback", "--auto-approve")
    assert refused.code == 1
    assert "This org has no apply that can be rolled back." in refused.err
    assert "This org has no apply" in journey.run("rollback", "--list").out


def test_only_the_last_applies_are_stored(applied):
    for number in range(6):
        if number % 2:
            applied.edit("mappings/contact.yaml", "    source: LeadSource\n", "")
        else:
            applied.edit("mappings/contact.yaml", "  attributes:\n", "  attributes:\n    source: LeadSource\n")
        assert applied.apply().code == 0
    assert len(applied.run("--json", "rollback", "--list").json["result"]) == 5
