"""Each environment is reviewed, and equal statements of several environments are merged."""

from __future__ import annotations

from pathlib import Path

from sfcode.plan.change import Action
from sfcode.review.model import ReviewReport, Risk
from sfcode.review.review import review
from tests.review.projects import FILES, Files, edited, list_texts, load_snapshot

THREE = edited(
    FILES,
    ("settings", "https://relay.example.com", "${relay}"),
    ("settings", "appcues@example.com", "appcues@${domain}"),
    (
        "settings",
        "  prod:\n    org: env:PROD\n",
        (
            "  local: {org: local, variables: {relay: 'http://localhost', domain: example.local}}\n"
            "  test: {org: env:TEST, variables: {relay: 'https://test.example.com', domain: example.test}}\n"
            "  prod: {org: env:PROD, protected: true, variables: {relay: 'https://prod.example.com', domain: example.com}}\n"
        ),
    ),
)
NAMES = ("local", "test", "prod")


def all_of(
    root: Path,
    before: Files,
    after: Files,
    *,
    names: tuple[str, ...] = NAMES,
    base_environments: tuple[str, ...] = NAMES,
    defined: tuple[str, ...] | None = None,
) -> ReviewReport:
    base = {name: load_snapshot(root / "before", before, name) for name in base_environments}
    head = {name: load_snapshot(root / "after", after, name) for name in names}
    return review(
        {name: base[name] for name in names if name in base},
        head,
        base_environments=base_environments,
        environments=defined,
    )


def test_changes_of_all_environments_are_one_statement(tmp_path: Path) -> None:
    """The host and the user of an environment are in its addresses, and do not count as a difference."""
    report = all_of(tmp_path, THREE, edited(THREE, ("contact", "role: Title", "role: Title\n    dept: Department")))
    assert list_texts(report) == [
        "medium: Contact.Department will be sent to Appcues as `dept`",
        "low: The integration user may read Contact.Department",
    ]
    assert all(statement.environments == () for statement in report.statements)
    assert [effect.environments for effect in report.effects] == [NAMES]
    assert report.touched == ("prod",)


def test_changes_that_differ_name_their_environment(tmp_path: Path) -> None:
    report = all_of(tmp_path, THREE, edited(THREE, ("settings", "https://prod.example.com", "https://new.example.com")))
    [statement] = report.statements
    assert statement.environments == ("prod",)
    assert [effect.environments for effect in report.effects] == [("prod",)]
    assert report.effects[0].protected
    assert report.count(Action.UPDATE) == 2


def test_the_same_change_of_several_variables_is_listed_for_each(tmp_path: Path) -> None:
    report = all_of(tmp_path, THREE, edited(THREE, ("settings", "appcues@${domain}", "robot@${domain}")))
    users = [statement for statement in report.statements if "integration user will be" in statement.text]
    assert [statement.environments for statement in users] == [("local",), ("test",), ("prod",)]
    assert [effect.environments for effect in report.effects] == [NAMES]


def test_a_new_environment_is_one_sentence_beside_others(tmp_path: Path) -> None:
    two = {
        **THREE,
        "config/sfcode.yaml": "".join(
            line for line in THREE["config/sfcode.yaml"].splitlines(True) if "  test:" not in line
        ),
    }
    report = all_of(tmp_path, two, THREE, base_environments=("local", "prod"))
    assert list_texts(report) == ["medium: Environment `test` is new: the org `env:TEST`"]
    assert report.effects == ()


def test_a_removed_environment_is_a_statement(tmp_path: Path) -> None:
    two = {
        **THREE,
        "config/sfcode.yaml": "".join(
            line for line in THREE["config/sfcode.yaml"].splitlines(True) if "  test:" not in line
        ),
    }
    report = all_of(tmp_path, THREE, two, names=("local", "prod"))
    assert list_texts(report) == [
        "medium: Environment `test` was removed: its components stay in the org and are no longer managed"
    ]


def test_a_protected_environment_makes_no_change_a_low_risk(tmp_path: Path) -> None:
    less = edited(THREE, ("contact", "    plan: Plan__c\n", ""))
    assert all_of(tmp_path / "all", THREE, less).risk is Risk.MEDIUM
    assert all_of(tmp_path / "one", THREE, less, names=("test",), defined=NAMES).risk is Risk.LOW


def test_records_of_another_user_are_made_and_none_is_deleted(tmp_path: Path) -> None:
    """Users cannot be deleted, so a report shows the deactivation of the previous user."""
    report = all_of(tmp_path, THREE, edited(THREE, ("settings", "appcues@${domain}", "robot@${domain}")))
    records = [change for change in report.effects[0].changes if change.address.is_record]
    users = {change.address.full_name: change.action for change in records if change.address.type == "User"}
    assert {name.partition("@")[0]: action for name, action in users.items()} == {
        "appcues": Action.UPDATE,
        "robot": Action.CREATE,
    }
    assert {change.action for change in records if change.address.type != "User"} == {Action.CREATE, Action.DELETE}
