"""One comment for each pull request and environment, updated in place."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from sfcode.github.client import GitHub, OutcomeUnknown
from sfcode.github.comment_marker import Marker, read_marker

ATTEMPTS = 3


class CommentUpdate(enum.Enum):
    """What `write_comment` did, as text for the output."""

    CREATED = "created"
    EDITED = "edited"
    KEPT = "unchanged"
    """The comment already has this text."""
    NONE = "not needed"
    """No comment exists, and none is needed."""


def list_own_comments(github: GitHub, pull: int, marker: Marker) -> list[Mapping[str, Any]]:
    """List the comments of sfcode for this marker, oldest first."""
    return [
        comment
        for comment in github.pages(f"issues/{pull}/comments")
        if is_own(github, comment) and _is_at(comment, marker)
    ]


def write_comment(github: GitHub, pull: int, marker: Marker, body: str, *, needed: bool = True) -> CommentUpdate:
    """
    Update the comment to `body`, whose first line is the marker; create it if there is none and it is `needed`.

    Comments of other users are never changed, even with the same marker.
    """
    for attempt in range(1, ATTEMPTS + 1):
        own_comments = list_own_comments(github, pull, marker)
        # Two concurrent runs may both have created a comment. The older one is kept.
        for comment in own_comments[1:]:
            github.delete(f"issues/comments/{comment['id']}")
        if own_comments:
            if _text(own_comments[0]) == body:
                return CommentUpdate.KEPT
            github.patch(f"issues/comments/{own_comments[0]['id']}", {"body": body})
            return CommentUpdate.EDITED
        if not needed:
            return CommentUpdate.NONE
        try:
            github.post(f"issues/{pull}/comments", {"body": body})
        except OutcomeUnknown:
            # The comment may have been created: look again instead of creating it twice.
            if attempt == ATTEMPTS:
                raise
            github.runtime.sleep(attempt)
        else:
            return CommentUpdate.CREATED
    raise AssertionError("unreachable")


def author(entity: Mapping[str, Any]) -> str:
    """Return the author of a comment, issue or review; "" if the account was deleted."""
    user = entity.get("user")
    return str(user.get("login")) if isinstance(user, Mapping) else ""


def is_own(github: GitHub, entity: Mapping[str, Any]) -> bool:
    """Return whether the account of the token wrote a comment or issue. GitHub ignores the case of logins."""
    return author(entity).lower() == github.login.lower()


def _is_at(comment: Mapping[str, Any], marker: Marker) -> bool:
    existing_marker = read_marker(comment.get("body"))
    return existing_marker is not None and existing_marker.place == marker.place


def _text(comment: Mapping[str, Any]) -> str:
    return str(comment.get("body") or "").replace("\r\n", "\n")
