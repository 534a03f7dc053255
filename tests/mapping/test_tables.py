"""The tables of the mapping package, from whose rows all other packages read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest

from sfcode.apply.next_steps import next_steps
from sfcode.config import load
from sfcode.config.event_models import HandledEvent, PropertyEvent, TextEvent
from sfcode.config.events_file import default_events
from sfcode.config.mapping_models import ActivityEvent
from sfcode.config.recipe_models import RegistrationEvent
from sfcode.config.template import find_template_problem
from sfcode.generate import generate
from sfcode.lazy_dataclasses import replace
from sfcode.mapping import events, field_types
from sfcode.mapping.org_features import feature_fields
from sfcode.mapping.permissions import OBJECT_FLAGS, ObjectPermission, add_required
from sfcode.mapping.targets import TARGET_VALUES, TargetValue
from sfcode.metadata.objects import standard
from sfcode.metadata.schema_table import elements, values
from sfcode.plan.data_flows import data_flows
from sfcode.relay.salesforce.actions.nps_fields import update_nps_fields


class TestEvents:
    def test_the_mapping_language_accepts_the_events_of_the_catalog(self) -> None:
        assert get_args(ActivityEvent) == events.ACTIVITY_EVENTS
        assert get_args(PropertyEvent) == events.PROPERTY_EVENTS
        assert get_args(TextEvent) == events.TEXT_EVENTS
        assert get_args(HandledEvent) == events.HANDLED_EVENTS
        assert get_args(RegistrationEvent) == events.REGISTRATION_EVENTS

    def test_each_event_has_one_row_with_its_descriptions(self) -> None:
        assert len(events.BY_NAME) == len(events.EVENTS)
        assert all(event.plural for event in events.EVENTS)
        assert all(event.text or event.properties or event.registers for event in events.EVENTS)

    def test_the_default_texts_are_templates_that_the_relay_can_render(self) -> None:
        for event in events.EVENTS:
            for text in (event.text.subject, event.text.comment) if event.text else ():
                assert find_template_problem(text) is None

    def test_each_nps_answer_has_its_own_event_and_all_events_that_contain_it(self) -> None:
        assert dict(events.NPS_EVENTS) == {"score": "nps_score", "feedback": "nps_feedback"}
        assert events.events_filling(["score"]) == ("nps_score", "nps_score_and_feedback")
        assert events.events_filling([]) == ()

    def test_defaults_name_every_event_that_has_a_text_or_fills_a_field(self) -> None:
        assert set(default_events().activities) == set(events.TEXT_EVENTS)
        assert set(default_events().properties) == set(events.PROPERTY_EVENTS)

    def test_click_to_track_is_not_an_event_of_appcues_itself(self) -> None:
        assert "click_to_track" not in events.APPCUES_EVENTS
        assert set(events.HANDLED_EVENTS) <= events.APPCUES_EVENTS


class TestFieldTypes:
    def test_every_type_of_the_shipped_table_is_known(self) -> None:
        types = {field.type for schema in standard().objects.values() for field in schema.fields.values()}
        assert types <= set(field_types.FIELD_TYPES)

    def test_every_type_of_metadata_has_one_describe_type(self) -> None:
        listed = [name for row in field_types.FIELD_TYPES.values() for name in row.metadata]
        assert len(listed) == len(set(listed))
        assert set(listed) - {"Address"} <= (values("FieldType") or set())
        assert field_types.describe_type("LongTextArea") == "textarea"
        assert field_types.describe_type("MultiselectPicklist") == "multipicklist"

    @pytest.mark.parametrize(("type_", "formula"), field_types.USER_ID_FORMULAS.items())
    def test_a_blank_source_gives_a_blank_user_id(self, type_: str, formula: str) -> None:
        assert "ISBLANK(Number__c)" in formula.format(field="Number__c")
        assert field_types.ATTRIBUTE_TYPES[type_] == "number"

    def test_every_sendable_type_can_be_sent_as_text(self) -> None:
        assert field_types.SENDABLE_AS["string"] == set(field_types.ATTRIBUTE_TYPES)
        assert all(field_types.ATTRIBUTE_TYPES[name] for name in field_types.SENDABLE_AS["number"])


class TestTargetValues:
    """All packages know the values that events write to a record from the rows of one table."""

    @pytest.mark.parametrize("value", TARGET_VALUES, ids=lambda value: value.kind)
    def test_a_value_needs_only_its_key_in_the_mapping(self, value: TargetValue, root: Path, tmp_path: Path) -> None:
        shutil.copytree(root / "config", tmp_path / "config")
        section: dict[str, Any] = {"field": "Custom__c", "create": True}
        for key in reversed(value.path):
            section = {key: section}
        text = {
            "object": "Contact",
            "direction": "to_salesforce",
            "user_id": "Appcues_User_Id__c",
            "to_salesforce": section,
        }
        for file in (tmp_path / "config/mappings").iterdir():
            file.unlink()
        (tmp_path / "config/mappings/contact.yaml").write_text(json.dumps(text), encoding="utf-8")
        project = load(tmp_path / "config", "local")
        (flow,) = data_flows(project, {})
        assert flow.written == ((value.events[0], "Contact.Custom__c"),)
        generated = {str(part.address): part.body for part in generate(project, standard()).components}
        assert generated["CustomField:Contact.Custom__c"]["type"] in value.metadata_types
        permissions = generated["PermissionSet:Appcues_Integration"]["fieldPermissions"]
        assert permissions["Contact.Custom__c"] == {"editable": True, "readable": True}
        steps = next_steps(project)
        assert [event for event in value.events if f"appcues:{event}" not in steps] == []

    def test_the_nps_action_ignores_values_that_are_no_nps_answers(self, root: Path) -> None:
        project = load(root / "config", "local")
        mapping = next(mapping for mapping in project.resolved if len(mapping.targets) == 2)
        other = TARGET_VALUES[0]._replace(path=("last_flow",))
        further = replace(mapping.targets[0], value=other, field="Last_Flow__c")
        action = update_nps_fields(project, replace(mapping, targets=(*mapping.targets, further)))
        assert action == update_nps_fields(project, mapping)
        assert update_nps_fields(project, replace(mapping, targets=(further,))) is None

    def test_each_field_that_is_created_can_store_its_value(self) -> None:
        for value in TARGET_VALUES:
            assert value.created.type in value.types
            assert set(map(field_types.describe_type, value.metadata_types)) <= value.types


class TestPermissions:
    def test_the_flags_are_those_of_the_schema(self) -> None:
        schema_elements = elements("PermissionSetObjectPermissions") or {}
        assert set(OBJECT_FLAGS) <= set(schema_elements)

    def test_modify_all_includes_every_permission_but_create(self) -> None:
        full = add_required(ObjectPermission("Contact", modify_all=True))
        assert full == ObjectPermission("Contact", True, False, True, True, True, True)


def test_the_templates_take_lengths_from_the_domain(root: Path) -> None:
    """A limit in a template would duplicate the limit in the code."""
    text = (root / "templates" / "metadata" / "CustomField.xml.j2").read_text(encoding="utf-8")
    assert "<length>{{ field.length }}</length>" in text
    assert "32768" not in text
    assert "255" not in text


@pytest.mark.parametrize(
    ("object_name", "field", "feature"),
    [
        ("Lead", "StateCode", "state and country/territory picklists"),
        ("Lead", "CountryCode", "state and country/territory picklists"),
        ("Contact", "OtherCountryCode", "state and country/territory picklists"),
        ("Account", "PersonMailingStateCode", "person accounts, and state and country/territory picklists"),
        ("Account", "PersonEmail", "person accounts"),
        ("Contact", "IsPersonAccount", "person accounts"),
        ("Anything__c", "CurrencyIsoCode", "multiple currencies"),
    ],
)
def test_a_field_of_a_feature_is_known_by_the_name_of_the_feature(object_name: str, field: str, feature: str) -> None:
    feature_field, name = feature_fields(object_name)[field]
    assert (feature_field.name, name) == (field, feature)
    assert feature_field.type == (
        "picklist" if field.endswith("Code") else {"PersonEmail": "email"}.get(field, "boolean")
    )
    assert "IsPersonAccount" not in feature_fields("Lead")
