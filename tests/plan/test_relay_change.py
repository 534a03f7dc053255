"""Changes of the relay's config are compared, shown and counted with those of the org."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.config.project import Project
from sfcode.config.relay_config import digest_relay_config, render_relay_config
from sfcode.metadata.component import Address
from sfcode.plan.document import load, save, to_document
from sfcode.plan.plan import Plan
from sfcode.plan.relay_change import RelayChange, SettingChange
from sfcode.plan.reports.html import html
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.reports.text import text
from sfcode.plan.state import Applied, state_address
from sfcode.plan.state_format import from_component, to_component
from tests.plan.samples import TARGET, build, desired, number, observed, permissions

PLAN_FIELD = {"field": "Plan__c"}
STATE = to_component(state_address("Appcues"), Applied())


def attributes(**names: Any) -> dict[str, Any]:
    return {"mappings": {"contact": {"to_appcues": {"attributes": names}}}}


def settings(before: Any, after: Any) -> tuple[SettingChange, ...]:
    return RelayChange(before, after).settings


@pytest.fixture
def renamed() -> Plan:
    change = RelayChange(attributes(plan=PLAN_FIELD), attributes(tier=PLAN_FIELD))
    return Plan(TARGET, "local", "1", "63.0", STATE.address, (), {}, relay=change, records_state=True)


class TestSettings:
    def test_a_renamed_attribute_is_removed_and_added(self) -> None:
        path = "mappings.contact.to_appcues.attributes"
        assert settings(attributes(plan=PLAN_FIELD), attributes(tier=PLAN_FIELD)) == (
            SettingChange(f"{path}.plan.field", "Plan__c", None),
            SettingChange(f"{path}.tier.field", None, "Plan__c"),
        )

    def test_settings_are_compared_with_case(self) -> None:
        assert len(settings(attributes(plan=PLAN_FIELD), attributes(Plan=PLAN_FIELD))) == 2

    def test_lists_are_compared_as_values(self) -> None:
        assert settings({"on": ["a"]}, {"on": ["a", "b"]}) == (SettingChange("on", ["a"], ["a", "b"]),)

    def test_a_removed_empty_section_is_a_change(self) -> None:
        assert settings({"nps": {}}, {}) == (SettingChange("nps", {}, None),)

    def test_without_a_recorded_config_no_settings_are_listed(self) -> None:
        assert settings(None, attributes(plan=PLAN_FIELD)) == ()

    def test_removing_the_last_mapping_of_the_relay_removes_all_settings(self) -> None:
        assert settings({"name": "A"}, None) == (SettingChange("name", "A", None),)


class TestConfig:
    def test_the_relay_config_contains_only_settings_of_the_relay(self, project: Project) -> None:
        spec = project.mappings[0].spec.model_copy(update={"replaces": ("WorkflowRule:Contact.Old",)})
        other_project = replace(project, mappings=(replace(project.mappings[0], spec=spec),))
        elsewhere = project.settings.relay.model_copy(update={"url": "https://other.example.com"})
        other_project = replace(other_project, settings=project.settings.model_copy(update={"relay": elsewhere}))
        assert render_relay_config(other_project) == render_relay_config(project)
        feedback = project.settings.relay.model_copy(update={"redact_feedback": True})
        other_project = replace(project, settings=project.settings.model_copy(update={"relay": feedback}))
        assert settings(render_relay_config(project), render_relay_config(other_project)) == (
            SettingChange("relay.redact_feedback", None, True),
        )

    def test_mappings_of_the_connector_are_not_in_the_relay_config(self, project: Project) -> None:
        spec = project.mappings[0].spec.model_copy(update={"delivery": "connector"})
        other_project = replace(project, mappings=(replace(project.mappings[0], spec=spec),))
        assert render_relay_config(other_project) is None
        assert digest_relay_config(None) == ""

    def test_the_digest_changes_with_the_config_and_survives_json(self, project: Project) -> None:
        config = render_relay_config(project)
        assert config is not None
        assert digest_relay_config(json.loads(json.dumps(config))) == digest_relay_config(config)
        assert digest_relay_config({**config, "name": "Other"}) != digest_relay_config(config)


class TestPlan:
    def seen(self, project: Project, relay: Any, **more: Any) -> Plan:
        org = observed(number("A__c"), applied=(number("A__c"),), **more)
        return build(project, desired(number("A__c")), replace(org, applied=replace(org.applied, relay=relay)))

    def test_the_same_config_is_no_change(self, project: Project) -> None:
        plan = self.seen(project, render_relay_config(project), state=STATE)
        assert plan.is_empty
        assert (
            text(plan)
            == f"No changes. {TARGET.name} ({TARGET.org_id}, {TARGET.instance_url}) matches the configuration."
        )

    def test_a_changed_relay_config_is_a_change_even_if_the_org_is_unchanged(self, project: Project) -> None:
        config = render_relay_config(project)
        assert config is not None
        plan = self.seen(project, {**config, "name": "Old"}, state=STATE)
        assert (plan.is_empty, plan.effective, plan.records_state) == (False, (), True)
        assert text(plan).rpartition("\n")[2] == "Plan: 0 to add, 0 to change, 0 to destroy. Relay: 1 to change."

    def test_a_state_that_records_no_config_is_written_once(self, project: Project) -> None:
        """States of earlier versions contain no config, so that changes since then are unknown."""
        plan = self.seen(project, None, state=STATE)
        assert (plan.is_empty, plan.records_state) == (False, True)
        assert "No changes to make in" in text(plan)

    def test_a_plan_with_target_does_not_change_the_relay(self, project: Project) -> None:
        org = observed(number("A__c"), applied=(number("A__c"),), state=STATE)
        org = replace(org, applied=replace(org.applied, relay={"name": "Old"}))
        target = Address.parse("CustomField:Contact.A__c")
        plan = build(project, desired(number("A__c")), org, targets=(target,))
        assert (plan.relay, plan.records_state) == (None, False)

    def test_the_state_keeps_the_config(self) -> None:
        applied = Applied(relay=attributes(plan=PLAN_FIELD))
        assert from_component(to_component(state_address("Appcues"), applied)).relay == attributes(plan=PLAN_FIELD)
        assert from_component(to_component(state_address("Appcues"), Applied())).relay is None


class TestReports:
    def test_the_text_has_a_section_of_its_own(self, renamed: Plan) -> None:
        assert renamed.relay is not None
        before, after = renamed.relay.digests
        assert text(renamed) == (
            f"""\
Changes to the relay (recorded by an apply, made by the relay when it loads this config):

  # Relay:config will use config {after} instead of {before}
  ~ Relay "config" {{
      ~ mappings = {{
          ~ contact = {{
              ~ to_appcues = {{
                  ~ attributes = {{
                      - plan = {{ field = "Plan__c" }}
                      + tier = {{ field = "Plan__c" }}
                    }}
                }}
            }}
        }}
    }}

Plan: 0 to add, 0 to change, 0 to destroy. Relay: 2 to change."""
        )

    def test_markdown_and_html_have_it(self, renamed: Plan) -> None:
        for report in (markdown(renamed), markdown(renamed, limit=4000), html(renamed)):
            assert "Changes to the relay" in report
            assert "Relay: 2 to change." in report
            assert "tier" in report

    def test_markdown_without_room_names_the_change_and_leaves_out_its_details(self, renamed: Plan) -> None:
        report = markdown(renamed, limit=500)
        assert "Changes to the relay" in report
        assert "tier" not in report

    def test_html_shows_it_below_the_changes_of_the_org(self, renamed: Plan, project: Project) -> None:
        plan = replace(build(project, desired(permissions(A__c=True)), observed()), relay=renamed.relay)
        page = html(plan)
        assert page.index("PermissionSet:Appcues_Integration") < page.index("<h2>Changes to the relay</h2>")

    def test_the_document_names_digests_and_settings(self, renamed: Plan) -> None:
        relay = to_document(renamed)["relay"]
        assert renamed.relay is not None
        assert (relay["digest"]["before"], relay["digest"]["after"]) == renamed.relay.digests
        assert [change["path"].rpartition("attributes.")[2] for change in relay["changes"]] == [
            "plan.field",
            "tier.field",
        ]

    def test_a_saved_plan_has_it_when_it_is_read_again(self, renamed: Plan, tmp_path: Path) -> None:
        save(renamed, tmp_path / "plan.json")
        assert load(tmp_path / "plan.json").relay == renamed.relay
