"""Prompts at a terminal: only the expected answer approves, and without a terminal there is no prompt."""

from __future__ import annotations

import io
import sys

import pytest

from sfcode.cli.invocation import Invocation
from sfcode.cli.prompt import ask
from sfcode.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "approved"), [("yes\n", True), (" yes \n", True), ("y\n", False), ("YES\n", False), ("\n", False)]
)
def test_only_the_expected_answer_approves(monkeypatch, capsys, typed, approved):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert ask(Invocation(), "Really?", hint="Pass --force.") is approved
    assert capsys.readouterr().out == "\nReally?\nEnter a value: "


def test_another_answer_than_yes_can_be_asked_for(monkeypatch):
    for typed, approved in (("the org\n", True), ("yes\n", False)):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        assert ask(Invocation(), "Which org?", answer="the org", hint="") is approved


def test_the_end_of_the_input_is_no_approval(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert ask(Invocation(), "Really?", hint="") is False


@pytest.mark.parametrize(("stdin", "json"), [(io.StringIO("yes\n"), False), (Terminal("yes\n"), True)])
def test_without_a_terminal_or_with_json_there_is_no_prompt(monkeypatch, capsys, stdin, json):
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(UsageError, match="Not a terminal") as refused:
        ask(Invocation(json=json), "Really?", hint="Pass --force.")
    assert refused.value.hint == "Pass --force."
    assert capsys.readouterr().out == ""
