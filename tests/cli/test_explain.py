"""`sfcode explain` and `next-steps`: offline, from the config alone."""

from __future__ import annotations

import json
import shutil

import pytest

from sfcode.checks.remedies import REMEDIES
from sfcode.checks.rules import DOCTOR_RULES
from sfcode.cli.main import main


@pytest.fixture
def run(root, tmp_path, monkeypatch, capsys):
    shutil.copytree(root / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)

    def call(*words):
        with pytest.raises(SystemExit) as end:
            main(["--env", "local", *words])
        answer = capsys.readouterr()
        return end.value.code, answer.out, answer.err

    return call


@pytest.mark.parametrize("address", ["Flow:Appcues_contact", "flow:appcues_CONTACT"])
def test_a_component_is_explained_by_the_lines_that_ask_for_it(run, root, address):
    code, out, err = run("explain", address)
    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    assert head == "Flow:Appcues_contact is asked for by"
    assert lines
    text = (root / "config" / "mappings" / "contact.yaml").read_text(encoding="utf-8").splitlines()
    for line in lines:
        file, number, column, path = line.strip().split(":", 3)
        assert file == "config/mappings/contact.yaml"
        key = path.split("(")[0].strip().rpartition(".")[2]
        assert text[int(number) - 1][int(column) - 1 :].startswith(key) or key in text[int(number) - 1]


def test_a_field_is_explained_once_under_its_name_with_the_object(run):
    lines = run("explain", "PermissionSet:Appcues_Integration")[1].splitlines()
    assert [line for line in lines if line.endswith("attributes.role (Contact.Title)")]
    assert not [line for line in lines if line.endswith("(Title)")]
    assert [line for line in lines if line.endswith("(ApiEnabled)")]


def test_an_explanation_is_printed_as_json(run):
    answer = json.loads(run("explain", "Flow:Appcues_contact", "--json")[1])
    assert answer["result"]["address"] == "Flow:Appcues_contact"
    assert {"file", "line", "column", "path", "name"} == set(answer["result"]["lines"][0])


@pytest.mark.parametrize(("rule", "level"), [("SF101", "error"), ("sf203", "warning"), ("D101", "error")])
def test_a_rule_is_explained(run, rule, level):
    code, out, _ = run("explain", rule)
    assert code == 0
    assert out.startswith(rule.upper())
    assert len(out.splitlines()) == 2 + rule.startswith("D")


@pytest.mark.parametrize("rule", DOCTOR_RULES)
def test_a_rule_of_doctor_is_explained_with_what_to_do(run, rule):
    assert run("explain", rule)[1].splitlines()[2] == f"What to do: {REMEDIES[rule]}"
    assert json.loads(run("explain", rule, "--json")[1])["result"]["hint"] == REMEDIES[rule] != ""


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("Flow:Appcues_contac", "Did you mean Flow:Appcues_contact?"),
        ("Flow:X", "The config has no component Flow:X."),
        ("SF999", "is neither a rule nor an address"),
    ],
)
def test_an_unknown_subject_is_a_usage_error(run, subject, message):
    code, out, err = run("explain", subject)
    assert (code, out) == (1, "")
    assert message in err


def test_next_steps_are_those_that_apply_prints(run):
    code, out, err = run("next-steps")
    assert (code, err) == (0, "")
    assert out.startswith("Left to do in Appcues:")
    assert json.loads(run("next-steps", "--json")[1])["result"]["next_steps"] == out.splitlines()
