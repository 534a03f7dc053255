"""`sfcode github reviewed` and `sfcode github drift` on a local GitHub: answers, outputs of the step and exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.github.comment_marker import comment_marker
from sfcode.plan.change import Change
from sfcode.plan.digest import changes_digest
from sfcode.plan.document import save
from sfcode.plan.modes import Mode
from tests.e2e.journey import Journey
from tests.e2e.workflows import read_outputs
from tests.github.conftest import Hub
from tests.github.test_body import changed, plan

HEAD, MERGE = "b" * 40, "a" * 40
PLAN = plan(changed(1))


@pytest.fixture
def step(hub: Hub, tmp_path: Path) -> Journey:
    """Return a folder with a saved plan, whose commands run in a step of the merged commit."""
    save(PLAN, tmp_path / "p.plan", None)
    (tmp_path / "output").touch()
    more = {"GITHUB_SHA": MERGE, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "output")}
    return Journey(tmp_path, hub.environ(**more))


def show(hub: Hub, *, approved: bool) -> None:
    """Open a pull request, show the plan in its comment, and merge it."""
    pull: dict[str, Any] = {"number": 7, "head": {"sha": HEAD}, "user": {"login": "author"}, "merge_commit_sha": MERGE}
    hub.state.pulls[7] = pull
    marker = comment_marker(Path("config"), "production", head=HEAD, plan=changes_digest(PLAN))
    hub.state.add_comment(7, f"{marker.line()}\nplan")
    if approved:
        hub.state.add_review(7, "colleague")
    pull["merged_at"] = hub.state.now()


@pytest.mark.parametrize(
    ("approved", "answer", "reason"),
    [
        (True, "This plan was reviewed", "colleague approved it in pull request #7"),
        (False, "This plan needs an approval", "nobody approved pull request #7 after it showed this plan"),
    ],
)
def test_a_plan_was_reviewed_or_needs_an_approval(
    hub: Hub, step: Journey, approved: bool, answer: str, reason: str
) -> None:
    show(hub, approved=approved)
    result = step.run("--config", "config", "github", "reviewed", "p.plan")
    assert (result.code, result.out, result.err) == (0, f"{answer}: {reason}.\n", "")
    assert read_outputs(step.folder / "output") == {"exit-code": "0", "reviewed": str(approved).lower()}
    document = step.run("--config", "config", "--json", "github", "reviewed", "p.plan").json
    assert document == {"status": 0, "result": {"reviewed": approved, "reason": reason}, "warnings": []}


def test_an_approval_fails_only_where_it_is_needed_and_nobody_is_required(hub: Hub, step: Journey) -> None:
    show(hub, approved=False)
    words = ("--config", "config", "github", "reviewed", "p.plan", "--approval", "approve")
    refused = step.run(*words)
    assert (refused.code, "approve has no required reviewers" in refused.err) == (1, True)
    assert read_outputs(step.folder / "output")["reviewed"] == "false"
    hub.state.environments["approve"] = {
        "protection_rules": [{"type": "required_reviewers", "reviewers": [{"type": "Team"}]}]
    }
    assert step.run(*words).code == 0
    del hub.state.environments["approve"]
    hub.state.add_review(7, "colleague")
    hub.state.reviews[7][0]["submitted_at"] = hub.state.pulls[7]["merged_at"]
    assert step.run(*words).code == 0, "a reviewed plan needs no approval"


def test_the_issue_about_drift_follows_the_plan(hub: Hub, step: Journey) -> None:
    change = changed(1)
    drifted = plan(Change(change.address, change.after, change.after, change.before))
    for name, current in (("drift.json", drifted), ("none.json", plan())):
        save(replace(current, mode=Mode.REFRESH), step.folder / name, None)
    line = "Drift: issue #1 describes it."
    result = step.run("--config", "config", "github", "drift", "drift.json")
    assert (result.code, result.out) == (0, f"{line}\n"), result.err
    assert hub.state.issues[1]["title"] == "Drift in production"
    assert "were changed by hand" in hub.state.issues[1]["body"]
    assert step.run("--config", "config", "--json", "github", "drift", "drift.json").json["result"] == {
        "drift": True,
        "issue": 1,
        "done": line,
    }
    for words, done, issue in (
        ("none.json", "No drift any more: issue #1 is closed.", 1),
        ("none.json", "No drift.", None),
    ):
        document = step.run("--config", "config", "--json", "github", "drift", words).json
        assert document["result"] == {"drift": False, "issue": issue, "done": done}
    assert "matches the last apply again" in hub.state.issues[1]["body"]


def test_a_plan_that_shows_no_drift_is_refused(step: Journey) -> None:
    refused = step.run("--config", "config", "github", "drift", "p.plan")
    assert refused.code == 1
    assert "p.plan is a plan and does not show drift." in refused.err
    assert "sfcode plan --refresh-only --format json" in refused.err
