"""The files that an import writes can be loaded unchanged, whatever names an org has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sfcode.config import load
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.importing.answers import ImportOptions
from sfcode.importing.decide import propose_config
from sfcode.importing.write import quote_scalar, render_files
from sfcode.metadata.objects import standard
from tests.importing.scans import ROBOT, fields, found, grants, message

ORG = "alias:prod"


def written(folder: Path, scan, **options):
    texts = render_files(scan, propose_config(scan, ImportOptions(**options)), ImportOptions(org=ORG, **options))
    for name, text in texts.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return texts


def test_the_written_project_generates_the_found_components(tmp_path):
    written(tmp_path, found())
    project = load(tmp_path / "config")
    settings = project.settings
    assert (project.environment, project.target.org, project.target.protected) == ("production", ORG, True)
    assert (settings.integration_user.username, settings.integration_user.email) == (ROBOT.username, ROBOT.email)
    assert settings.as_is == ("CustomField:Contact.Appcues_Id__c", "PermissionSet:Appcues_Access")
    (mapping,) = project.mappings
    assert mapping.spec.delivery == "connector"
    assert mapping.spec.replaces[0].startswith("WorkflowRule:Contact.AppcuesOn")
    assert {str(component.address) for component in generate(project, standard()).components} == {*settings.as_is}


def test_a_project_has_an_identity_that_its_name_does_not_change(tmp_path):
    for folder, options in (("one", {}), ("two", {}), ("three", {"identity": "team_a", "name": "Guides"})):
        written(tmp_path / folder, found(), **options)
    first, second, third = (load(tmp_path / folder / "config").settings.id for folder in ("one", "two", "three"))
    assert first.startswith("appcues_")
    assert first != second, "each project has its own"
    assert third == "team_a"


def test_options_are_written_to_the_files(tmp_path):
    texts = written(
        tmp_path,
        found(is_sandbox=True),
        name="Guides",
        account="10001",
        region="eu",
        relay_url="https://relay.example.com",
        attributes=(("job: title", "Title"),),
    )
    project = load(tmp_path / "config")
    assert (project.environment, project.target.protected) == ("sandbox", False)
    assert project.settings.appcues.account_id == "10001"
    assert project.settings.relay.url == "https://relay.example.com"
    assert list(project.mappings[0].spec.to_appcues.attributes) == ["job: title"]
    assert "fill" not in texts["sfcode.yaml"]


def test_placeholders_prevent_a_plan_with_the_relay(tmp_path):
    written(tmp_path, found())
    path = tmp_path / "config" / "mappings" / "contact.yaml"
    path.write_text(path.read_text().replace("delivery: connector", "delivery: relay"))
    with pytest.raises(ConfigError) as wrong:
        generate(load(tmp_path / "config"), standard())
    assert [(problem.path, problem.message.partition(" ")[0]) for problem in wrong.value.problems] == [
        ("appcues.account_id", "FILL_IN"),
        ("relay.url", "https://fill-in.invalid"),
    ]


def test_one_direction_and_a_custom_object_are_written(tmp_path):
    sets = {"Appcues_Access": grants(object_name="Person__c")}
    kinds = {"Person__c": fields(NPS_Score__c="double", NPS_Feedback__c="textarea")}
    scan = found(messages=(), sets=sets, fields=kinds, formulas={})
    written(tmp_path, scan)
    (mapping,) = load(tmp_path / "config").mappings
    assert (mapping.name, mapping.spec.direction, mapping.spec.to_appcues) == ("person", "to_salesforce", None)
    assert mapping.spec.to_salesforce.nps.score.field == "NPS_Score__c"


def test_names_from_an_org_are_never_read_as_yaml(tmp_path):
    odd = replace(ROBOT, last_name="yes: #1 ${x} \"q\" 'o' - b: *c", profile="true")
    rule = message("Send: #1")
    written(tmp_path, found(people=(odd,), messages=(rule,)))
    project = load(tmp_path / "config")
    assert project.settings.integration_user.last_name == odd.last_name
    assert project.settings.integration_user.profile == "true"
    assert project.mappings[0].spec.replaces[1] == "WorkflowOutboundMessage:Contact.Send: #1"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_so_that_yaml_parses_it_back(text):
    assert yaml.safe_load(f"key: {quote_scalar(text)}") == {"key": text.replace("${", "$${")}


def test_characters_that_yaml_does_not_allow_are_escaped_in_comments_too(tmp_path):
    scan = found()
    target = replace(scan.target, name="Acme \x1b[2J\u009b31m\x7f\nversion: 2")
    formulas = {name: replace(parsed, text="TEXT(A__c) \x08\x9b") for name, parsed in scan.formulas.items()}
    texts = written(tmp_path, replace(scan, target=target, formulas=formulas))
    assert "\\x1b[2J\\x9b31m\\x7f version: 2" in texts["sfcode.yaml"]
    assert load(tmp_path / "config").settings.version == 1
