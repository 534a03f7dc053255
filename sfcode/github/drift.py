"""Maintain the issue about drift."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfcode.github.body import issue_body
from sfcode.github.client import GitHub
from sfcode.github.comment_marker import Marker, read_marker
from sfcode.github.comments import is_own
from sfcode.github.redact import redact
from sfcode.lazy_dataclasses import dataclass
from sfcode.plan.plan import Plan

LEAD = """\
Components that sfcode manages in **{environment}** were changed by hand. Choose one:

- If the change was a mistake, apply reverts it (run the workflow `apply`).
- If the change is intended, add it to the config in a pull request.

The daily check of the org updates this issue, and closes it when there is no drift any more."""
GONE = "**{environment}** matches the last apply again."


@dataclass(frozen=True)
class IssueUpdate:
    """What happened to the drift issue, as text for the output, and its number; None if there is no issue."""

    text: str
    number: int | None = None


def update_drift_issue(github: GitHub, plan: Plan, config: Path, environ: Mapping[str, str]) -> IssueUpdate:
    """Open or update the issue if there is drift, and close it otherwise."""
    marker = Marker("drift", config.as_posix(), plan.environment)
    lead = (LEAD if plan.drifted else GONE).format(environment=plan.environment)
    body = issue_body(marker, plan, lead, hide=lambda text: redact(text, environ))
    if plan.drifted:
        number = open_issue(github, marker, f"Drift in {plan.environment}", body)
        return IssueUpdate(f"Drift: issue #{number} describes it.", number)
    closed = close_issue(github, marker, body)
    return IssueUpdate("No drift." if closed is None else f"No drift any more: issue #{closed} is closed.", closed)


def open_issue(github: GitHub, marker: Marker, title: str, body: str) -> int:
    """Update the issue, or open or reopen it. Return its number."""
    issue = _find(github, marker)
    if issue is None:
        return int(github.post("issues", {"title": title, "body": body})["number"])
    number = int(issue["number"])
    if issue["state"] != "open" or issue.get("body") != body or issue.get("title") != title:
        github.patch(f"issues/{number}", {"title": title, "body": body, "state": "open"})
    return number


def close_issue(github: GitHub, marker: Marker, body: str) -> int | None:
    """Comment that there is no drift any more, and close the issue if it is open. Return its number."""
    issue = _find(github, marker)
    if issue is None or issue["state"] != "open":
        return None
    number = int(issue["number"])
    github.patch(f"issues/{number}", {"body": body, "state": "closed", "state_reason": "completed"})
    return number


def _find(github: GitHub, marker: Marker) -> Mapping[str, Any] | None:
    # Newest first, and pages are read only as far as needed.
    for issue in github.pages("issues?state=all"):
        existing_marker = read_marker(issue.get("body"))
        is_ours = "pull_request" not in issue and is_own(github, issue)
        if is_ours and existing_marker is not None and existing_marker.place == marker.place:
            return issue
    return None
