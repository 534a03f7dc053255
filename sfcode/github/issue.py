"""One issue for each environment with drift: opened, updated, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfcode.github.client import GitHub
from sfcode.github.comment_marker import Marker, read_marker
from sfcode.github.comments import author


def open_or_update(github: GitHub, marker: Marker, title: str, body: str) -> int:
    """Update the issue, or open or reopen it. Return its number."""
    found = _find(github, marker)
    if found is None:
        return int(github.post("issues", {"title": title, "body": body})["number"])
    number = int(found["number"])
    if found["state"] != "open" or found.get("body") != body or found.get("title") != title:
        github.patch(f"issues/{number}", {"title": title, "body": body, "state": "open"})
    return number


def close(github: GitHub, marker: Marker, body: str) -> int | None:
    """Comment that the drift is gone and close the issue if it is open. Return its number."""
    found = _find(github, marker)
    if found is None or found["state"] != "open":
        return None
    number = int(found["number"])
    github.patch(f"issues/{number}", {"body": body, "state": "closed", "state_reason": "completed"})
    return number


def _find(github: GitHub, marker: Marker) -> Mapping[str, Any] | None:
    # Newest first, and pages are read only as far as needed.
    for issue in github.pages("issues?state=all"):
        found = read_marker(issue.get("body"))
        is_ours = "pull_request" not in issue and author(issue) == github.login
        if is_ours and found is not None and found.place == marker.place:
            return issue
    return None
