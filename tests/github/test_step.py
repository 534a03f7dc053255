"""The outputs and the summary of a workflow step, which are written only in a workflow."""

from __future__ import annotations

import pytest

from sfcode.diagnostics import Position
from sfcode.github.actions_step import SUMMARY_LIMIT, Step
from tests.e2e.journey import SECRET, Journey
from tests.e2e.workflows import read_outputs


@pytest.fixture
def step(tmp_path):
    """Return a project whose commands run in a step of a workflow."""
    (tmp_path / "project").mkdir()
    journey = Journey.start(tmp_path / "project")
    files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    journey.environ = {**journey.environ, "GITHUB_ACTIONS": "true", **{name: str(path) for name, path in files.items()}}
    journey.outputs = lambda: read_outputs(files["GITHUB_OUTPUT"])
    journey.summary = files["GITHUB_STEP_SUMMARY"].read_text
    return journey


def test_the_outputs_of_a_step_have_the_result_of_the_plan(step):
    result = step.run("plan", "--detailed-exitcode", "--out", "plan.json")
    outputs = step.outputs()
    assert result.code == 2, result.err
    assert (outputs["changes"], outputs["exit-code"], outputs["plan-file"]) == ("true", "2", "plan.json")
    assert (
        f"Plan: {outputs['adds']} to add, {outputs['updates']} to change, {outputs['deletes']} to destroy."
        in result.out
    )
    assert len(outputs["plan-digest"]) == 64
    assert step.summary().startswith(f"### Plan: {outputs['adds']} to add")


def test_a_step_prints_the_same_as_outside_of_a_workflow(step, tmp_path):
    elsewhere = Journey(step.folder, {k: v for k, v in step.environ.items() if not k.startswith("GITHUB_")})
    # The first line contains the port of the local org, which differs.
    assert step.run("plan").out.splitlines()[1:] == elsewhere.run("plan").out.splitlines()[1:]
    before = step.summary()
    elsewhere.run("plan")
    assert step.summary() == before


def test_the_summary_of_an_apply_has_its_result_and_the_manual_steps(step):
    assert step.run("--json", "apply", "--auto-approve").code == 0
    assert "### Apply complete! Resources:" in step.summary()
    assert "Left to do in Appcues" in step.summary()
    assert step.outputs()["changes"] == "true"
    assert step.run("plan").code == 0
    assert step.outputs()["changes"] == "false"
    assert step.summary().rstrip().splitlines()[-3].startswith("### No changes.")


def test_the_annotation_of_a_failure_has_its_reason_and_position(step):
    step.edit("mappings/contact.yaml", "match: user", "match: usr")
    result = step.run("plan")
    assert (result.code, step.outputs()["exit-code"]) == (1, "1")
    assert "changes" not in step.outputs()
    assert "### sfcode plan ended with exit code 1" in step.summary()
    assert "config/mappings/contact.yaml:" in step.summary()
    assert "::error file=config/mappings/contact.yaml,line=" in result.err
    assert "::error" not in result.out


def test_a_refused_plan_is_shown_with_its_reason(step):
    step.edit("sfcode.yaml", "org: local", "protected: true\n    org: local")
    assert step.run("apply", "--auto-approve").code == 1
    assert "Environment local is protected" in step.summary()


def test_wrong_usage_is_in_the_summary_and_help_is_not(step):
    assert step.run("plan", "--help").code == 0
    assert step.summary().strip() == ""
    assert step.run("plan", "--nonsense").code == 1
    assert "No such option" in step.summary()


def test_a_secret_in_an_error_is_masked(step):
    step.run("plan", SECRET)
    assert "### sfcode plan ended" in step.summary()
    assert SECRET not in step.summary()


def test_verbs_without_outputs_write_no_files(step):
    assert step.run("validate").code == 0
    assert (step.summary(), step.outputs()) == ("", {})


def test_an_unwritable_output_file_does_not_fail_the_command(step):
    step.environ["GITHUB_OUTPUT"] = "/nowhere/at/all"
    result = step.run("plan")
    assert result.code == 0
    assert "Warning: /nowhere/at/all cannot be written" in result.err


@pytest.mark.parametrize("value", ["", "false"])
def test_files_of_a_step_are_written_only_in_a_workflow(step, value):
    step.environ["GITHUB_ACTIONS"] = value
    assert step.run("plan", "--nonsense").code == 1
    assert (step.summary(), step.outputs()) == ("", {})


def test_a_step_without_files_and_with_a_long_summary(tmp_path):
    Step(None, None).write_outputs({"changes": "false"})
    Step(None, None).write_summary("text")
    path = tmp_path / "summary"
    Step(None, path).write_summary("x" + "é" * SUMMARY_LIMIT)
    whole_characters = (SUMMARY_LIMIT - 1) // 2
    assert path.read_text(encoding="utf-8") == f"x{'é' * whole_characters}\n\n"


def test_an_output_cannot_set_another_one(tmp_path):
    path = tmp_path / "output"
    Step(path, None).write_outputs({"plan-file": "a\nchanges<<X\ntrue\nX", "changes": "false"})
    assert read_outputs(path) == {"plan-file": "a\nchanges<<X\ntrue\nX", "changes": "false"}


def test_an_annotation_is_one_line_and_names_the_file_as_the_repository_does(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    step = Step(None, None, str(tmp_path))
    annotation = step.annotation("error", "50% is\nwrong", Position("config/a,b.yaml", 3, 7), "x: y")
    assert annotation == "::error file=sub/config/a%2Cb.yaml,line=3,col=7,title=x%3A y::50%25 is%0Awrong"
    assert step.annotation("notice", "hello") == "::notice::hello"
