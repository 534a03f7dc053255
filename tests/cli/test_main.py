"""Global options, exit codes and the two ways in which errors are told."""

from __future__ import annotations

import json

import pytest

from sfcode.cli import output
from sfcode.cli.main import VERBS, main
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError, OrgError, StillRunning


def run(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_text_of_its_own(capsys, verb):
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert f"Usage: sfcode {verb}" in out
    assert len(out.splitlines()) > 4


def test_help_lists_every_verb_without_loading_one(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert [verb for verb in VERBS if f"\n  {verb} " not in out] == []


@pytest.mark.parametrize(
    "words", [["nonsense"], ["plan", "--nonsense"], ["--nonsense"], ["plan", "--format", "pdf"], ["render"]]
)
def test_bad_usage_is_the_users_problem_and_exits_with_1(capsys, words):
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "\nTry: sfcode" in err


@pytest.mark.parametrize(
    ("typed", "meant"), [("pln", "plan"), ("improt", "import"), ("Apply", "apply"), ("forceunlock", "force-unlock")]
)
def test_a_mistyped_verb_is_told_the_one_that_was_meant(capsys, typed, meant):
    code, _, err = run(capsys, typed)
    assert code == 1
    assert err == f"Error: No such command '{typed}'. Did you mean {meant}?\nTry: sfcode --help\n"


def test_a_verb_that_resembles_none_is_no_guess(capsys):
    assert run(capsys, "nonsense") == (1, "", "Error: No such command 'nonsense'.\nTry: sfcode --help\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["plan", "--env", "local"], "sfcode --env NAME plan"),
        (["plan", "--json"], "sfcode --json plan"),
        (["local", "reset", "--config", "here"], "sfcode --config PATH local reset"),
    ],
)
def test_a_global_option_after_the_verb_is_told_its_place(capsys, words, hint):
    code, out, err = run(capsys, *words)
    assert code == 1
    assert f"It goes before the verb: {hint}" in err + json.dumps(out)


def test_a_bad_address_is_bad_usage(capsys):
    code, _, err = run(capsys, "plan", "--adopt", "Contact.X")
    assert code == 1
    assert "'Contact.X' is not an address; write Type:FullName" in err


def test_json_errors_come_in_the_envelope_on_standard_output(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "--json", "validate")
    answer = json.loads(out)
    assert (code, answer["status"], answer["exitCode"], answer["name"]) == (1, 1, 1, "ConfigError")
    assert answer["problems"]
    assert err == ""


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (OrgError("No.", "Do this."), 1, "Error: No.\nDo this.\n"),
        (StillRunning("It goes on."), 4, "Error: It goes on.\n"),
        (KeyboardInterrupt(), 130, "Error: interrupted\n"),
        (
            ConfigError(
                [
                    Diagnostic.error(Position("a.yaml", 2, 3), "b.c", "wrong", "right it"),
                    Diagnostic.error(None, "", "also"),
                ]
            ),
            1,
            "Error: 2 problems\nalso\na.yaml:2:3: b.c: wrong; right it\n",
        ),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_text(capsys, error, code, text):
    assert output.print_error(error, json=False, verbose=False) == code
    assert capsys.readouterr().err == text


@pytest.mark.parametrize("verbose", [False, True])
def test_a_bug_says_that_it_is_one_and_keeps_its_traceback_for_verbose(capsys, verbose):
    with pytest.raises(ZeroDivisionError) as bug:
        _ = 1 / 0
    assert output.print_error(bug.value, json=False, verbose=verbose) == 3
    err = capsys.readouterr().err
    assert "this is a bug in sfcode, not in your config:" in err
    assert ("Traceback" in err) is verbose
