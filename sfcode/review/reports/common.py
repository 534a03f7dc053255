"""Sentences that several reports share."""

from __future__ import annotations

from sfcode.plan.change import Action
from sfcode.review.model import Effect, ReviewReport

NOTHING = "No changes"
"""The text for a change without effect."""


def headline(review: ReviewReport) -> str:
    """Describe the change in one line."""
    if review.problems:
        return "The config does not load"
    if review.is_empty:
        return NOTHING
    add, change, destroy = (review.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    counts = f"{add} to add, {change} to change, {destroy} to destroy"
    return f"{review.risk.word.capitalize()} risk: {counts if add or change or destroy else 'no component changes'}"


def describe_comparison(review: ReviewReport) -> str:
    """Describe what was compared."""
    how = f", {review.base.how}" if review.base.how else ""
    return f"Compares {review.head} with {review.base}{how}"


def describe_environments(effect: Effect, review: ReviewReport, quote: str = "") -> str:
    """Return ` in local, test` for the environments of an effect; "" if these are all reviewed ones."""
    if {*effect.environments} == {*review.environments}:
        return ""
    return f" in {', '.join(f'{quote}{name}{quote}' for name in effect.environments)}"
