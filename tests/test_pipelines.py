"""What docs/guide/pipelines.md offers to other people's pipelines: a policy, a GitLab component, a reusable workflow, schemas."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from regopy import Interpreter

from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.document import to_document
from sfcode.plan.plan import Plan
from sfcode.plan.snapshot import Target

URL = re.compile(r"https://raw\.githubusercontent\.com/[\w-]+/sfcode/main/")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/guide/pipelines.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def component(root: Path) -> tuple[dict[str, Any], str]:
    """Give the inputs of the GitLab component, and the text below its header."""
    header, _, body = (root / "templates/sfcode.yml").read_text(encoding="utf-8").partition("\n---\n")
    return yaml.safe_load(header)["spec"]["inputs"], body


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def evaluate(policy: str, *changes: Change) -> set[str]:
    target = Target("00D000000000001EAA", "Northwind", "https://x.example", "admin@x.example")
    plan = Plan(target, "production", "1", "63.0", Address("StaticResource", "S"), changes, {})
    rego = Interpreter()
    rego.add_module("sfcode", policy)
    rego.set_input(to_document(plan))
    answer = json.loads(str(rego.query("messages = data.sfcode.deny")))
    return set(answer["bindings"]["messages"])


def make(type_: str, name: str, **body: Any) -> Component:
    return Component(type_, name, body)


def test_the_policy_of_the_page_denies_what_it_says_and_nothing_else(page: str) -> None:
    (policy,) = blocks(page, "rego")
    field = make("CustomField", "Contact.A__c", type="Number")
    wide = make("PermissionSet", "A", objectPermissions={"Lead": {"modifyAllRecords": True}})
    narrow = make("PermissionSet", "B", objectPermissions={"Lead": {"modifyAllRecords": False}})
    message = make("WorkflowOutboundMessage", "Contact.M", fields=["Id", "Birthdate"])
    quiet = make("WorkflowOutboundMessage", "Lead.M", fields=["Id"])
    assert evaluate(
        policy,
        Change(field.address, field, None),
        *(Change(part.address, None, part) for part in (wide, narrow, message, quiet)),
    ) == {
        "CustomField:Contact.A__c would be deleted with its values",
        "PermissionSet:A grants Modify All on Lead",
        "WorkflowOutboundMessage:Contact.M sends Birthdate",
    }
    assert evaluate(policy, Change(field.address, None, field)) == set()


def test_the_gitlab_component_is_a_ci_file_as_gitlab_publishes_its_schema(
    component: tuple[dict[str, Any], str],
) -> None:
    inputs, body = component
    schema_file = files("check_jsonschema") / "builtin_schemas/vendor/gitlab-ci.json"
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    values = {name: definition.get("default", "sfcode") for name, definition in inputs.items()}
    text = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda match: values[match[1]], body)
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.validate(yaml.safe_load(text))
    jobs = yaml.safe_load(text)
    assert not validator.is_valid({**jobs, "sfcode-apply": {**jobs["sfcode-apply"], "when": "sometimes"}})
    assert set(re.findall(r"inputs\.([\w-]+)", body)) == set(inputs), "each input is used, and no other"
    assert jobs["sfcode-apply"]["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "when": "manual"}]
    assert "secret" not in text.lower().replace("without a secret", "")


def test_the_examples_pass_only_inputs_that_there_are(
    root: Path, page: str, component: tuple[dict[str, Any], str]
) -> None:
    github, gitlab = map(yaml.safe_load, blocks(page, "yaml"))
    workflow = yaml.safe_load((root / ".github/workflows/reusable.yml").read_text(encoding="utf-8"))
    call = workflow[True]["workflow_call"]  # YAML 1.1 reads the key `on` so
    required = {name for name, definition in call["inputs"].items() if definition.get("required")}
    assert required <= set(github["jobs"]["plan"]["with"]) <= set(call["inputs"])
    assert set(github["jobs"]["plan"]["secrets"]) == set(call["secrets"])
    (include,) = gitlab["include"]
    assert {name for name, definition in component[0].items() if "default" not in definition} <= set(include["inputs"])
    assert set(include["inputs"]) <= set(component[0])


def test_entries_for_schemastore_lead_to_schemas_of_this_repository(root: Path) -> None:
    for entry in json.loads((root / "docs/schemastore.json").read_text(encoding="utf-8")):
        assert {"name", "description", "url"} <= entry.keys() <= {"name", "description", "fileMatch", "url"}
        path = root / URL.sub("", entry["url"])
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
