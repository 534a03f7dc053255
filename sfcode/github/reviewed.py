"""The review gate: whether a merged pull request showed the plan and was approved afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sfcode.errors import Refused
from sfcode.github.client import GitHub
from sfcode.github.comment_marker import Marker, read_marker
from sfcode.github.comments import author, list_own_comments
from sfcode.lazy_dataclasses import dataclass

REVIEWERS = frozenset({"admin", "write"})
"""Repository permissions with which an approval counts, since anyone can approve in a public repository."""


@dataclass(frozen=True)
class ReviewGate:
    """Whether the plan was reviewed, and the reason."""

    reviewed: bool
    reason: str


def check_review(github: GitHub, sha: str, marker: Marker) -> ReviewGate:
    """Compare the plan that `marker` names with the comment of the pull request whose merge commit is `sha`."""
    pulls = [
        pull
        for pull in github.pages(f"commits/{sha}/pulls")
        if pull.get("merged_at") and pull.get("merge_commit_sha") == sha
    ]
    if len(pulls) != 1:
        return ReviewGate(False, f"commit {sha[:12]} is not the merge of one pull request")
    pull = pulls[0]
    number, head = int(pull["number"]), str(pull["head"]["sha"])
    for comment in list_own_comments(github, number, marker):
        shown_marker = read_marker(comment["body"])
        if shown_marker is None or not shown_marker.plan:
            return ReviewGate(False, f"pull request #{number} showed no plan")
        if shown_marker.head != head:
            return ReviewGate(False, f"the plan in pull request #{number} is not of its last commit")
        if shown_marker.plan != marker.plan:
            return ReviewGate(False, f"the plan is not the one that pull request #{number} showed")
        approver = _find_approver(github, number, head, str(comment["updated_at"]), author(pull))
        if approver is None:
            return ReviewGate(False, f"nobody approved pull request #{number} after it showed this plan")
        return ReviewGate(True, f"{approver} approved it in pull request #{number}")
    return ReviewGate(False, f"pull request #{number} has no comment of sfcode")


def require_reviewers(github: GitHub, environment: str, reason: str) -> None:
    """Raise Refused unless the GitHub environment requires an approval."""
    # https://docs.github.com/en/rest/deployments/environments#get-an-environment
    settings = github.get(f"environments/{environment}", missing=True)
    rules = settings.get("protection_rules") or [] if settings else []
    if not any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules):
        raise Refused(
            f"This plan needs an approval ({reason}), and the environment {environment} has no required reviewers.",
            f"Settings > Environments > {environment}: set required reviewers, then run the workflow again.",
        )


def _find_approver(github: GitHub, number: int, head: str, shown_at: str, proposer: str) -> str | None:
    """Return a user who approved the last commit after the plan was shown, and has not revoked the approval."""
    last: dict[str, Mapping[str, Any]] = {}
    for review in github.pages(f"pulls/{number}/reviews"):
        if review.get("state") in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            last[author(review)] = review
    for reviewer, review in last.items():
        if (
            review["state"] == "APPROVED"
            and review.get("commit_id") == head
            and reviewer != proposer
            # Both are UTC in the same form, so comparing the texts compares the times.
            and str(review.get("submitted_at") or "") >= shown_at
            and _may_write(github, reviewer)
        ):
            return reviewer
    return None


def _may_write(github: GitHub, login: str) -> bool:
    """
    Return whether a user may push to the repository.

    `author_association` of a review does not show it: it is the same for members who may only read and those who may
    write. GitHub returns the roles maintain and triage as write and read.
    """
    # https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    permission = github.get(f"collaborators/{quote(login, safe='')}/permission", missing=True)
    return bool(permission) and permission.get("permission") in REVIEWERS
