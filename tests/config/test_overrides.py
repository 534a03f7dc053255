"""Overrides of keys in one environment: their effect, the positions of their problems, and their limits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from sfcode.config import load
from sfcode.config.format import format_text
from sfcode.config.overrides import FIXED
from sfcode.config.project import Project
from sfcode.config.schema import json_schema, render_json_schema
from sfcode.config.yaml import parse
from sfcode.errors import ConfigError

SETTINGS = """\
version: 1
integration_user:
  username: appcues@example.com
  email: admin@example.com
appcues: {account_id: "1"}
relay:
  url: https://relay.example.com
environments:
  production: {org: "env:PROD"}
  sandbox:
    org: local
    variables: {field: Tier__c}
    overrides:
"""
CONTACT = """\
object: Contact
match: user
user_id: {field: Id__c}
to_appcues:
  on: [create, update]
  attributes:
    role: Title
    plan: Plan__c
direction: to_appcues
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config" / "mappings").mkdir(parents=True)
    (tmp_path / "config" / "mappings" / "contact.yaml").write_text(CONTACT, encoding="utf-8")
    for name in ("events", "recipes"):
        (tmp_path / "config" / f"{name}.yaml").write_text("version: 1\n", encoding="utf-8")
    return tmp_path / "config"


def make(folder: Path, overrides: str, environment: str = "sandbox") -> Project:
    lines = "".join(f"      {line}\n" for line in overrides.splitlines())
    (folder / "sfcode.yaml").write_text(SETTINGS + lines, encoding="utf-8")
    return load(folder, environment, name=Path("config"))


def complain(folder: Path, overrides: str, environment: str = "sandbox") -> list[str]:
    with pytest.raises(ConfigError) as refused:
        make(folder, overrides, environment)
    return [str(problem) for problem in refused.value.problems]


OVERRIDES = """\
sfcode.yaml:
  integration_user: {record_access: view_all}
mappings/contact.yaml:
  to_appcues:
    on: [create]
    attributes: {plan: "${field}", role: null, team: Department}
"""


def test_keys_are_merged_other_values_replaced_and_null_removes(folder: Path) -> None:
    sandbox = make(folder, OVERRIDES)
    (mapping,) = sandbox.resolved
    assert sandbox.settings.integration_user.record_access == "view_all"
    assert sandbox.settings.integration_user.email == "admin@example.com"
    assert {use.attribute: use.field for use in mapping.attributes} == {"plan": "Tier__c", "team": "Department"}
    assert mapping.on == {"create"}


def test_other_environments_keep_the_values_of_the_files(folder: Path) -> None:
    production = make(folder, OVERRIDES, "production")
    assert production.settings.integration_user.record_access == "sharing"
    assert [use.field for use in production.resolved[0].attributes] == ["Title", "Plan__c"]
    before = make(folder, "{}", "production")
    assert before.digest == production.digest
    assert make(folder, "{}").digest != make(folder, OVERRIDES).digest


def test_an_overridden_value_has_the_position_of_its_override(folder: Path) -> None:
    (mapping,) = make(folder, OVERRIDES).resolved
    places = {use.attribute: str(use.place.position) for use in mapping.attributes}
    assert places == {"plan": "config/sfcode.yaml:19:24", "team": "config/sfcode.yaml:19:54"}
    assert str(mapping.user_id.place.position) == "config/mappings/contact.yaml:3:11"


def test_removed_and_replaced_keys_have_no_position(folder: Path) -> None:
    positions = make(folder, OVERRIDES).mappings[0].positions
    assert str(positions["to_appcues", "on", 0]).startswith("config/sfcode.yaml:")
    assert ("to_appcues", "on", 1) not in positions
    assert ("to_appcues", "attributes", "role") not in positions


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            "mappings/contact.yaml: {to_appcues: {attributes: {plan: 7}}}",
            "config/sfcode.yaml:14:63: to_appcues.attributes.plan: expected keys and values, found the number 7",
        ),
        (
            "mappings/contact.yaml: {to_appcues: {attributes: {plan: '${nothing}'}}}",
            "config/sfcode.yaml:14:64: to_appcues.attributes.plan: the environment sandbox has no variable nothing",
        ),
        ("sfcode.yaml: {relay: {urll: x}}", "config/sfcode.yaml:14:29: relay.urll: "),
        (
            "events.yaml: {activities: {flow_completed: {subject: 7, comment: x}}}",
            "config/sfcode.yaml:14:60: activities.flow_completed.subject: ",
        ),
        (
            "recipes.yaml: {completed_flows: {}}",
            "config/sfcode.yaml:14:22: completed_flows: needs a mapping that lists flow_completed",
        ),
        (
            "mappings/contract.yaml: {object: Lead}",
            (
                'config/sfcode.yaml:14:7: environments.sandbox.overrides."mappings/contract.yaml": '
                "there is no file mappings/contract.yaml to override; write mappings/contact.yaml"
            ),
        ),
        (
            "sfcode.yaml: {version: 2}",
            (
                'config/sfcode.yaml:14:21: environments.sandbox.overrides."sfcode.yaml".version: '
                "version is the same in every environment; remove it here"
            ),
        ),
        (
            "sfcode.yaml: {environments: {}}",
            'config/sfcode.yaml:14:21: environments.sandbox.overrides."sfcode.yaml".environments: ',
        ),
        (
            "mappings/contact.yaml: {delivery: null}",
            (
                'config/sfcode.yaml:14:31: environments.sandbox.overrides."mappings/contact.yaml".delivery: '
                "the key to remove does not exist"
            ),
        ),
        ("mappings/contact.yaml: {object: null}", "config/mappings/contact.yaml:1:1: object: missing; "),
        ("sfcode.yaml: [1]", 'config/sfcode.yaml:14:20: environments.sandbox.overrides."sfcode.yaml": '),
        ("[1]", "config/sfcode.yaml:14:7: environments.sandbox.overrides: "),
    ],
)
def test_a_problem_is_reported_once_at_the_line_that_holds_the_value(
    folder: Path, overrides: str, problem: str
) -> None:
    (only,) = complain(folder, overrides)
    assert only.startswith(problem)


def test_secrets_of_overrides_are_needed_in_their_environment_only(folder: Path) -> None:
    overrides = 'sfcode.yaml: {relay: {outbound_secret: "${secret:MAIL}"}}'
    assert "MAIL" in {secret.name for secret in make(folder, overrides).secrets}
    assert "MAIL" not in {secret.name for secret in make(folder, overrides, "production").secrets}


FITTING = """\
sfcode.yaml:
  integration_user: {record_access: view_all}
  relay: {url: "https://${field}.example.com", retention: null}
  safety: {max_destroy: 3}
events.yaml:
  activities: {goal_reached: {subject: A goal}}
mappings/contact.yaml:
  user_id: {from: Number__c}
  where: {Status__c: null, Region__c: {not: [North]}}
  to_appcues:
    on: [create]
    attributes: {plan: "${field}", role: null, team: {type: number}}
"""
"""Overrides without keys that are required in a file, since the file already has them."""


MISTAKEN = """\
sfcode.yaml:
  version: 1
  relay: {urll: x}
events.yaml:
  activities: {goal_reched: {}}
mappings/contact.yaml:
  direction: sideways
"""


def test_a_schema_validator_finds_each_mistake_of_an_override(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(render_json_schema("sfcode"), encoding="utf-8")
    for name, overrides in (("fitting.yaml", FITTING), ("mistaken.yaml", MISTAKEN)):
        lines = "".join(f"      {line}\n" for line in overrides.splitlines())
        (tmp_path / name).write_text(SETTINGS + lines, encoding="utf-8")
    options = ["--output-format", "json", "--schemafile", "schema.json"]
    command = [sys.executable, "-m", "check_jsonschema", *options, "fitting.yaml", "mistaken.yaml"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = json.loads(process.stdout)["errors"]
    assert [error["filename"] for error in errors] == ["mistaken.yaml"] * 4


@pytest.mark.parametrize(
    ("overrides", "is_accepted"),
    [
        (FITTING, True),
        (OVERRIDES, True),
        ("{}", True),
        ("recipes.yaml: {version: 1}", True),
        ("mappings/contact.yaml: {object: Lead}", True),
        ("mappings/contact.yaml: {to_appcues: null}", True),
        ("mappings/contact.yaml: {to_appcues: {attributes: {plan: 7}}}", False),
        ("mappings/contact.yaml: {to_appcues: {attributes: {plan: {fields: A__c}}}}", False),
        ("mappings/contact.yaml: {to_appcues: {on: [creation]}}", False),
        ("mappings/contact.yaml: {to_salesforce: {activities: [x]}}", False),
        ("mappings/contact.yaml: {where: {Status__c: {other: 1}}}", False),
        ("sfcode.yaml: {relay: {urll: x}}", False),
        ("sfcode.yaml: {integration_user: {record_access: all}}", False),
        ("sfcode.yaml: {version: 1}", False),
        ("sfcode.yaml: {environments: {}}", False),
        ("sfcode.yaml: [1]", False),
        ("[1]", False),
        ("events.yaml: {aliases: {a: {event: x, attributes: 1}}}", False),
        ("contact: {object: Lead}", False),
        ("mappings/sub/contact.yaml: {object: Lead}", False),
    ],
)
def test_the_schema_knows_the_keys_that_an_override_may_have(overrides: str, is_accepted: bool) -> None:
    lines = "".join(f"      {line}\n" for line in overrides.splitlines())
    validator = jsonschema.Draft202012Validator(json_schema("sfcode"))
    assert validator.is_valid(parse((SETTINGS + lines).encode(), "sfcode.yaml").data) is is_accepted


def test_the_schema_accepts_every_value_of_a_file_as_an_override(root: Path) -> None:
    """The schema of overrides is derived from the schema of the files."""
    validator = jsonschema.Draft202012Validator(json_schema("sfcode"))
    settings = parse((root / "config/sfcode.yaml").read_bytes(), "sfcode.yaml").data
    names = ["events.yaml", "recipes.yaml", *(f"mappings/{path.name}" for path in (root / "config/mappings").iterdir())]
    files = {name: root / "config" / name for name in names}
    overrides = {name: parse(path.read_bytes(), name).data for name, path in files.items() if path.exists()}
    overrides["sfcode.yaml"] = {key: value for key, value in settings.items() if key not in FIXED}
    assert len(overrides) > 3
    settings["environments"]["local"]["overrides"] = overrides
    assert list(validator.iter_errors(settings)) == []


def test_fmt_orders_the_keys_of_an_override_as_those_of_the_file(folder: Path) -> None:
    make(folder, "mappings/contact.yaml:\n  to_appcues: {on: [create]}\n  object: Contact")
    text = format_text((folder / "sfcode.yaml").read_bytes(), "sfcode.yaml", "sfcode")
    assert text.index("object: Contact") < text.index("to_appcues: {on: [create]}")
    make(folder, OVERRIDES)
    assert format_text((folder / "sfcode.yaml").read_bytes(), "sfcode.yaml", "sfcode").count("overrides:") == 1
