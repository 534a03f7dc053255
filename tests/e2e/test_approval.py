"""The prompts of apply, destroy and rollback, and the effect of each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfcode.local import LocalOrg, serve
from tests.e2e.journey import Journey
from tests.e2e.org import deploy_field_label
from tests.e2e.terminal import terminal

QUESTION = "Enter a value: "
CANCELLED = (1, "Error: Canceled; nothing was changed.")
SCORE = "CustomField:Contact.Appcues_NPS_Score__c"

Start = Callable[[str, Path], Journey]


@contextmanager
def shared_org(journey: Journey) -> Iterator[LocalOrg]:
    """Serve the project's org to several processes at once."""
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token, "SFCODE_ORG": org.url}
        yield org


def test_a_yes_at_a_terminal_applies_the_plan_that_was_shown(starts: Start, tmp_path: Path) -> None:
    journey = starts("new", tmp_path / "it")
    with terminal(journey, "apply") as screen:
        code, output = screen.answer(QUESTION, b"yes\n")
    before, _, after = output.partition(QUESTION)
    assert code == 0, output
    assert "Do you want to perform these actions in Northwind Traders?\nOnly 'yes' will be accepted.\n" in before
    added = before[before.index("Plan: ") :].split()[1]
    assert int(added) > 0
    assert f"Apply complete! Resources: {added} added, 0 changed, 0 destroyed." in after
    assert journey.actions() == {}


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (b"no\n", CANCELLED),
        (b"y\n", CANCELLED),
        (b"YES\n", CANCELLED),
        (b"yes please\n", CANCELLED),
        (b"\x04", CANCELLED),
        (b"\x03", (130, "Error: Interrupted; nothing was changed.")),
    ],
    ids=["no", "y", "capitals", "more words", "end of file", "Ctrl-C"],
)
def test_every_other_answer_changes_nothing(starts: Start, tmp_path: Path, keys: bytes, end: tuple[int, str]) -> None:
    journey = starts("new", tmp_path / "it")
    with terminal(journey, "apply") as screen:
        code, output = screen.answer(QUESTION, keys)
    assert (code, output.rstrip().rpartition("\n")[2]) == end
    assert set(journey.actions().values()) == {"create"}


def test_an_empty_plan_has_no_prompt(starts: Start, tmp_path: Path) -> None:
    with terminal(starts("applied", tmp_path / "it"), "apply") as screen:
        code, output = screen.finish()
    assert code == 0
    assert QUESTION not in output


@pytest.mark.parametrize(
    ("verb", "question"),
    [
        ("apply", "Do you want to perform these actions in Northwind Traders?"),
        ("destroy", "Do you want to destroy these components in Northwind Traders?"),
        ("rollback", "Do you want to perform these actions in Northwind Traders?"),
    ],
)
def test_an_org_that_changed_before_the_answer_is_not_changed(
    starts: Start, tmp_path: Path, verb: str, question: str
) -> None:
    journey = starts("visible", tmp_path / "it")
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    with shared_org(journey) as org:
        planned_actions = journey.actions()
        with terminal(journey, verb) as screen:
            assert f"\n{question}\nOnly 'yes' will be accepted.\n" in screen.wait_for(QUESTION)
            deploy_field_label(org, "Contact.Appcues_NPS_Score__c", "Somebody was here")
            code, output = screen.answer(QUESTION, b"yes\n")
        assert code == 1, output
        assert f"Error: The org has changed since the plan was made:\n  - {SCORE} was changed\n" in output
        assert {address: action for address, action in journey.actions().items() if address != SCORE} == planned_actions


def test_an_unanswered_prompt_does_not_lock_the_org(starts: Start, tmp_path: Path) -> None:
    journey = starts("new", tmp_path / "it")
    with shared_org(journey):
        with terminal(journey, "apply") as screen:
            screen.wait_for(QUESTION)
            result = journey.apply()
            assert result.code == 0, result.err
            code, output = screen.answer(QUESTION, b"yes\n")
        assert code == 1, output
        assert "The org has changed since the plan was made:" in output
        assert journey.actions() == {}


def test_with_json_there_is_no_prompt_even_at_a_terminal(starts: Start, tmp_path: Path) -> None:
    journey = starts("new", tmp_path / "it")
    with terminal(journey, "--json", "apply") as screen:
        code, output = screen.finish()
    assert code == 1
    assert QUESTION not in output
    assert "--auto-approve" in output
