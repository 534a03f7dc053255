"""The writer's view of a mapping, which is made without requests to the org."""

from __future__ import annotations

import pytest

from sfcode.config import load
from sfcode.mapping.resolved import message_version
from sfcode.relay.appcues.mapping_view import mapping_views
from tests.generate.projects import changed, project
from tests.generate.projects import settings as config
from tests.relay.appcues.appcues_relay import ACCOUNT, CONTACT, MAPPINGS


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ({"field": "NumberOfEmployees"}, "number"),
        ({"field": "AnnualRevenue"}, "number"),
        ({"field": "CreatedDate"}, "date"),
        ({"field": "Industry"}, "string"),
        ({"field": "IsDeleted"}, "boolean"),
        ({"field": "NumberOfEmployees", "type": "string"}, "string"),
        ({"field": "Seats__c"}, None),
        ({"field": "Seats__c", "type": "string"}, "string"),
        ({"field": "Seats__c", "type": "number"}, "number"),
        ({"field": "Vip__c", "type": "boolean"}, "boolean"),
    ],
)
def test_an_attribute_is_of_the_given_type_or_else_of_its_standard_fields(field, kind):
    mapping = changed(ACCOUNT, to_appcues={"attributes": {"x": field}})
    (attribute,) = mapping_views(project({"account": mapping}))["account"].attributes
    assert attribute.kind == kind


def test_the_version_is_that_of_the_address_which_messages_are_sent_to():
    own_project = project(MAPPINGS)
    for mapping in own_project.resolved:
        assert mapping_views(own_project)[mapping.name].version == message_version(mapping.message_fields)


def test_attributes_of_several_mappings_are_shared_where_their_profiles_are_the_same():
    views = mapping_views(
        project(
            {
                **MAPPINGS,
                "other": changed(ACCOUNT, match="user", to_appcues={"attributes": {"industry": {"field": "Industry"}}}),
            }
        )
    )
    shared = {
        (name, attribute.name): attribute.other_objects
        for name, view in views.items()
        for attribute in view.attributes
        if attribute.other_objects
    }
    assert shared == {("contact", "role"): ("lead",), ("lead", "role"): ("contact",)}


@pytest.mark.parametrize(
    "change",
    [{"delivery": "connector"}, {"direction": "to_salesforce", "to_salesforce": {"activities": ["nps_score"]}}],
)
def test_only_mappings_whose_records_the_relay_sends_have_one(change):
    assert mapping_views(project({"contact": changed(CONTACT, **change)})) == {}


def test_the_repositorys_own_config_has_its_two(root, monkeypatch):
    views = mapping_views(load(root / "config", "local"))
    assert {name: view.user_id for name, view in views.items()} == {
        "contact": "Appcues_User_Id__c",
        "lead": "Appcues_User_Id__c",
    }


@pytest.mark.parametrize("name", ["_role", "_appcuesSatisfaction_MostRecentNPSScore"])
def test_reserved_names_of_appcues_are_refused_by_validation(tmp_path, root, name):
    import shutil

    from sfcode.errors import ConfigError

    shutil.copytree(root / "config", tmp_path / "config")
    file = tmp_path / "config" / "mappings" / "contact.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("role: Title", f"{name}: Title"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"the leading _, which Appcues reserves"):
        load(tmp_path / "config", "local")


def test_messages_under_a_former_name_find_their_mapping():
    settings = {"moved": {"mappings": {"person": "contact"}}}
    views = mapping_views(project({"contact": changed(CONTACT)}, config(**settings)))
    assert views["person"] is views["contact"]
