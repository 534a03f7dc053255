"""A plan is reviewed if a person approved the pull request after it showed this plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.errors import Refused
from sfcode.github.comment_marker import comment_marker
from sfcode.github.reviewed import ReviewGate, check_review, require_reviewers
from tests.github.server import Fault

MERGE = "a" * 40


@pytest.fixture
def merged(hub):
    """Return a repository in which a plan was shown, approved and merged."""
    head = {"sha": "b" * 40}
    hub.state.pulls[7] = {"number": 7, "head": head, "user": {"login": "author"}, "merge_commit_sha": MERGE}
    show(hub, "plan-one")
    hub.state.add_review(7, "colleague")
    hub.state.pulls[7]["merged_at"] = hub.state.now()
    return hub


def show(hub, digest, head="b" * 40, login="github-actions[bot]", environment="production"):
    marker = comment_marker(Path("config"), environment, head=head, plan=digest)
    hub.state.add_comment(7, f"{marker.line()}\nplan", login)


def verdict(hub, digest="plan-one", sha=MERGE):
    return check_review(hub.client(), sha, comment_marker(Path("config"), "production", plan=digest))


def test_an_approved_plan_is_reviewed_with_its_approver(merged):
    assert verdict(merged) == ReviewGate(True, "colleague approved it in pull request #7")


def test_another_plan_is_not_reviewed(merged):
    assert verdict(merged, "plan-two") == ReviewGate(False, "the plan is not the one that pull request #7 showed")


def test_another_commit_is_not_reviewed(merged):
    assert "is not the merge of one pull request" in verdict(merged, sha="c" * 40).reason
    assert "is not the merge of one pull request" in verdict(merged, sha="b" * 40).reason


def test_a_pull_request_that_is_not_merged_reviews_nothing(merged):
    """For an open pull request, GitHub also returns a merge commit: the one that its jobs check out."""
    merged.state.pulls[7]["merged_at"] = None
    assert "is not the merge of one pull request" in verdict(merged).reason
    assert not verdict(merged).reviewed


def test_the_plan_of_an_earlier_push_is_not_reviewed(merged):
    merged.state.pulls[7]["head"]["sha"] = "d" * 40
    assert verdict(merged) == ReviewGate(False, "the plan in pull request #7 is not of its last commit")


def test_a_plan_that_changed_after_the_approval_is_not_reviewed(merged):
    (comment,) = merged.state.comments_of(7)
    comment["updated_at"] = merged.state.now()
    assert verdict(merged).reason == "nobody approved pull request #7 after it showed this plan"


@pytest.mark.parametrize(
    "change",
    [
        {"user": {"login": "author"}},
        {"state": "COMMENTED"},
        {"state": "DISMISSED"},
        {"commit_id": "e" * 40},
    ],
    ids=str,
)
def test_an_approval_of_the_author_or_of_another_commit_does_not_count(merged, change):
    merged.state.reviews[7][0].update(change)
    assert not verdict(merged).reviewed


@pytest.mark.parametrize("permission", ["read", "none"])
@pytest.mark.parametrize("association", ["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE"])
def test_an_approval_counts_by_the_permission_in_the_repository(merged, permission, association):
    """Members of the organization and collaborators who may only read are no reviewers, whatever their association is."""
    merged.state.reviews[7][0]["author_association"] = association
    merged.state.members["colleague"] = permission
    assert verdict(merged).reason == "nobody approved pull request #7 after it showed this plan"
    merged.state.members["colleague"] = "write"
    assert verdict(merged).reviewed


def test_an_approval_of_somebody_who_left_the_repository_does_not_count(merged):
    merged.state.faults.append(Fault("GET", "collaborators/colleague/permission", 404))
    assert verdict(merged).reason == "nobody approved pull request #7 after it showed this plan"


def test_a_comment_after_an_approval_does_not_revoke_it(merged):
    merged.state.add_review(7, "colleague", "COMMENTED")
    assert verdict(merged).reviewed


@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "DISMISSED"])
def test_an_approval_followed_by_another_verdict_does_not_count(merged, state):
    merged.state.add_review(7, "colleague", state)
    assert not verdict(merged).reviewed


def test_a_comment_that_somebody_else_wrote_shows_nothing(merged):
    merged.state.comments.clear()
    show(merged, "plan-one", login="author")
    assert verdict(merged).reason == "pull request #7 has no comment of sfcode"


def test_a_comment_about_another_environment_shows_nothing(merged):
    merged.state.comments.clear()
    show(merged, "plan-one", environment="sandbox")
    assert not verdict(merged).reviewed


def test_a_comment_without_a_plan_shows_none(merged):
    merged.state.comments.clear()
    show(merged, "")
    assert verdict(merged, "") == ReviewGate(False, "pull request #7 showed no plan")


def test_an_environment_needs_required_reviewers_to_approve(hub):
    client = hub.client()
    with pytest.raises(Refused, match="approve has no required reviewers") as caught:
        require_reviewers(client, "approve", "nobody approved")
    assert "Settings > Environments > approve" in caught.value.hint
    for rules in (
        [],
        [{"type": "wait_timer"}],
        [{"type": "required_reviewers", "reviewers": []}],
        [{"type": "other", "reviewers": [{}]}],
    ):
        hub.state.environments["approve"] = {"protection_rules": rules}
        with pytest.raises(Refused):
            require_reviewers(client, "approve", "nobody approved")
    rules = [{"type": "required_reviewers", "reviewers": [{"type": "Team"}]}]
    hub.state.environments["approve"] = {"protection_rules": rules}
    require_reviewers(client, "approve", "nobody approved")
