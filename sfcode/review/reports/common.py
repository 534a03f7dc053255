"""What several reports say in the same words."""

from __future__ import annotations

import posixpath
from pathlib import PurePath

from sfcode.checks.rules import of
from sfcode.diagnostics import Position
from sfcode.plan.change import Action
from sfcode.review.model import Finding, Review

NOTHING = "No changes"
"""All that is said of a change that means nothing."""


def headline(review: Review) -> str:
    """Say in one line what the change does."""
    if review.problems:
        return "The config does not load"
    if review.is_empty:
        return NOTHING
    add, change, destroy = (review.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    counts = f"{add} to add, {change} to change, {destroy} to destroy"
    return f"{review.risk.word.capitalize()} risk: {counts if add or change or destroy else 'no component changes'}"


def compared(review: Review) -> str:
    """Say what was compared with what."""
    how = f", {review.base.how}" if review.base.how else ""
    return f"Compares {review.head} with {review.base}{how}"


def all_findings(review: Review) -> tuple[Finding, ...]:
    """Give the findings, and what keeps head from loading as findings too."""
    return (*(of("SF001", problem) for problem in review.problems), *review.findings)


def place_in_repository(folder: str, finding: Finding) -> Position:
    """Find where a finding stands, seen from the top of the repository, as GitHub names files."""
    position = finding.position
    if position is None:
        # A file that is missing or unreadable is named by the path, and has no lines.
        position = Position(finding.path or "sfcode.yaml", 1, 1)
    file = PurePath(position.file).as_posix()
    return Position(posixpath.normpath(posixpath.join(folder, file)), position.line, position.column)


def related_in_repository(folder: str, finding: Finding) -> Position | None:
    """Find the second place of a finding."""
    if finding.related is None:
        return None
    related = Finding(finding.rule, finding.level, finding.related, "", "")
    return place_in_repository(folder, related)
