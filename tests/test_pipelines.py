"""The files for pipelines in docs/guide/pipelines.md: a policy, a GitLab component, a reusable workflow, schemas."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
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
from tests.e2e.journey import Journey
from tests.e2e.workflows import read_outputs
from tests.programs import search_path

ROOT = Path(__file__).resolve().parents[1]
URL = re.compile(r"https://raw\.githubusercontent\.com/[\w-]+/sfcode/main/")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/guide/pipelines.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def component(root: Path) -> tuple[dict[str, Any], str]:
    """Return the inputs of the GitLab component, and the text below its header."""
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
    assert "secret" not in text.lower().replace("without secrets", "")


def test_the_examples_pass_only_inputs_that_there_are(
    root: Path, page: str, component: tuple[dict[str, Any], str]
) -> None:
    github, gitlab = map(yaml.safe_load, blocks(page, "yaml"))
    workflow = yaml.safe_load((root / ".github/workflows/reusable.yml").read_text(encoding="utf-8"))
    call = workflow[True]["workflow_call"]  # YAML 1.1 reads the key `on` as true
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


def run_script(script: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script of a job in the shell that GitHub and GitLab use."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": search_path(), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_gitlab_jobs_review_plan_and_apply(component: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    _, body = component
    jobs = yaml.safe_load(re.sub(r"\$\[\[ inputs\.[\w-]+ \]\]", "local", body))
    project = Journey.start(tmp_path)
    environ = {**project.environ, "SFCODE_CONFIG": "config"}
    begin = "git init -q && git add config && git commit -qm 1 && git rev-parse HEAD"
    base = run_script(begin, tmp_path, {}).stdout.strip()
    project.edit("mappings/contact.yaml", "role: Title", "role: Department")
    head = run_script("git commit -qam 2 && git rev-parse HEAD", tmp_path, {}).stdout.strip()
    environ |= {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_COMMIT_SHA": head}
    outputs = {}
    for name in ("sfcode-review", "sfcode-plan", "sfcode-apply"):
        job = run_script("\n".join(jobs[name]["script"]), tmp_path, environ)
        assert job.returncode == 0, job.stdout + job.stderr
        outputs[name] = job.stdout
    assert "Department" in outputs["sfcode-review"]
    assert "Apply complete!" in outputs["sfcode-apply"]
    artifacts = jobs["sfcode-plan"]["artifacts"]
    files = [*artifacts["paths"], artifacts["reports"]["junit"]]
    assert [name for name in files if not (tmp_path / name).stat().st_size] == []
    second_result = run_script("\n".join(jobs["sfcode-apply"]["script"]), tmp_path, environ)
    assert (second_result.returncode, "The org has changed since the plan" in second_result.stderr) == (1, True), (
        second_result.stderr
    )


@pytest.mark.parametrize(
    "path",
    [
        "action.yml",
        "templates/sfcode.yml",
        ".github/actions/sfcode/action.yml",
        ".github/workflows/reusable.yml",
        "sfcode/scaffold/.github/actions/sfcode/action.yml",
    ],
)
def test_the_installation_in_a_pipeline_imports_no_module_of_the_checkout(path: str, tmp_path: Path) -> None:
    """`python -m pip` imports from the working folder first, which is the checkout of a branch under review."""
    text = (ROOT / path).read_text(encoding="utf-8")
    commands = re.findall(r"\S*python (?:-I )?-m \w+", text)
    assert commands
    for module in ("pip", "venv"):
        (tmp_path / f"{module}.py").write_text("print('imported from the checkout')", encoding="utf-8")
    for command in commands:
        options = command.partition("python ")[2]
        output = run_script(f"{sys.executable} {options} --help", tmp_path, {})
        assert (output.returncode, "imported from the checkout" in output.stdout) == (0, False), command


def load_step(path: str) -> tuple[dict[str, Any], set[str]]:
    """Return the step of a file that runs sfcode, and the outputs of this step that the file uses."""
    text = (ROOT / path).read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    steps = document["runs"]["steps"] if "runs" in document else document["jobs"]["sfcode"]["steps"]
    (step,) = (step for step in steps if step.get("id") == "sfcode")
    return step, set(re.findall(r"steps\.sfcode\.outputs\.([\w-]+)", text))


@pytest.mark.parametrize("path", ["action.yml", ".github/workflows/reusable.yml"])
def test_the_step_of_a_pipeline_sets_every_output_and_fails_with_its_command(path: str, tmp_path: Path) -> None:
    step, outputs = load_step(path)
    project = Journey.start(tmp_path)

    def run_command(command: str) -> tuple[int, dict[str, str]]:
        file = tmp_path / "output"
        file.write_text("", encoding="utf-8")
        environ = {**project.environ, "COMMAND": command, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(file)}
        job = run_script(step["run"], tmp_path, environ)
        return job.returncode, read_outputs(file)

    code, values = run_command("plan --out plan.json --detailed-exitcode")
    assert outputs <= values.keys()
    assert (code, values["exit-code"], values["changes"]) == (2, "2", "true")
    assert run_command("apply --auto-approve")[0] == 0
    code, values = run_command("plan")
    assert (code, values["exit-code"], values["changes"]) == (0, "0", "false")
    project.edit("mappings/contact.yaml", "object: Contact", "object: Nobody__c")
    code, values = run_command("plan")
    assert (code, values["exit-code"]) == (1, "1")
