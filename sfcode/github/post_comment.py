"""Write the pull request comment from a review and an optional plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from sfcode.git import open_repository
from sfcode.github.body import CommentParts, comment_body
from sfcode.github.client import GitHub
from sfcode.github.comment_marker import comment_marker
from sfcode.github.comments import CommentUpdate, write_comment
from sfcode.github.redact import redact
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.plan.digest import changes_digest
from sfcode.plan.plan import Plan
from sfcode.review.model import ReviewReport, Revision
from sfcode.review.reports.markdown import markdown


@dataclass(frozen=True)
class CommentRequest:
    """The content of the comment."""

    review: ReviewReport
    config: Path
    environment: str
    """The environment; all environments if empty."""
    plan: Plan | None = None
    note: str = ""
    """A sentence below the review, such as why there is no plan."""


def post_comment(github: GitHub, request: CommentRequest, environ: Mapping[str, str]) -> tuple[int, CommentUpdate]:
    """Create or update the comment; return the pull request's number and the result."""
    context = github.context
    number, head = context.pull_number, context.head_sha
    digest = changes_digest(request.plan) if request.plan else ""
    marker = comment_marker(request.config, request.environment, head=head, plan=digest)
    # GitHub's runner checks out a merge commit, whose ID is of no use to a reader.
    review = replace(
        request.review,
        base=Revision(context.base_name, request.review.base.commit),
        head=Revision("this pull request", head),
    )
    parts = CommentParts(marker, lambda room: markdown(review, room), request.plan, request.note, head)
    body = comment_body(parts, hide=lambda text: redact(text, environ))
    is_empty = (
        request.review.is_empty and (request.plan is None or request.plan.is_empty) and not request.review.problems
    )
    # A pull request that does not change the config gets no comment; one that only reformats it gets one.
    needed = not is_empty or changes_files(request.review, request.config)
    return number, write_comment(github, number, marker, body, needed=needed)


def changes_files(review: ReviewReport, config: Path) -> bool:
    """Return whether any file of the config differs."""
    if not review.head.commit:
        return True
    repository = open_repository(config)
    # A bare repository has no work tree, so the path is relative to its top.
    place = config if repository.bare else config.absolute().relative_to(repository.top)
    folder = [PurePosixPath(place.as_posix())]
    return repository.read_files(review.base.commit, folder) != repository.read_files(review.head.commit, folder)
