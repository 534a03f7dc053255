"""Render the body of a comment: the review, then the plan, the most important parts first."""

from __future__ import annotations

from collections.abc import Callable

from sfcode.checks.risk import assess_plan
from sfcode.github.comment_marker import Marker
from sfcode.github.redact import defuse_mentions
from sfcode.lazy_dataclasses import dataclass
from sfcode.plan.plan import Plan
from sfcode.plan.reports.markdown import markdown as plan_markdown
from sfcode.plan.reports.plan_items import headline
from sfcode.review.reports.markdown import COMMENT_LIMIT
from sfcode.text import spell_out

RESERVE = 512
"""The number of characters that are reserved for masking secrets and mentions, which may lengthen a text."""
FOR_PLAN = 16_384
"""The number of characters that are reserved for the plan, however long the review is."""


@dataclass(frozen=True)
class CommentParts:
    """The parts of a comment. Each is a function of the available length."""

    marker: Marker
    review: Callable[[int], str]
    plan: Plan | None = None
    note: str = ""
    """A note for the reader, such as why there is no plan."""
    head: str = ""


def comment_body(parts: CommentParts, hide: Callable[[str], str] = lambda text: text) -> str:
    """Render the comment within GitHub's limit; `hide` masks secrets in the whole text."""
    start = f"{parts.marker.line()}\n"
    end = _footer(parts)
    room = COMMENT_LIMIT - RESERVE - len(start) - len(end)
    full_plan = "" if parts.plan is None else _plan_section(parts.plan, room)
    review = parts.review(room - min(len(full_plan), FOR_PLAN))
    plan = "" if parts.plan is None else _plan_section(parts.plan, room - len(review))
    return start + _fit(defuse_mentions(spell_out(hide(f"{review.rstrip()}\n{plan}{end}"))), COMMENT_LIMIT - len(start))


def issue_body(marker: Marker, plan: Plan, lead: str, hide: Callable[[str], str] = lambda text: text) -> str:
    """Render the body of the drift issue within GitHub's limit."""
    start = f"{marker.line()}\n"
    text = f"{lead}\n\n{plan_markdown(plan, limit=COMMENT_LIMIT - RESERVE - len(start) - len(lead))}\n"
    return start + _fit(defuse_mentions(spell_out(hide(text))), COMMENT_LIMIT - len(start))


def _plan_section(plan: Plan, room: int) -> str:
    title = "\n---\n\n"
    introduction = "" if plan.is_empty else "After the merge, apply makes these changes in the org:\n\n"
    return f"{title}{introduction}{plan_markdown(plan, assess_plan(plan), limit=room - len(title) - len(introduction) - 1)}\n"


def _footer(parts: CommentParts) -> str:
    lines = []
    if parts.note:
        lines.append(f"> {parts.note}")
    subjects = [f"commit {parts.head[:10]}"] if parts.head else []
    if parts.plan is not None:
        subjects.append(f"plan {parts.marker.plan[:10]}: {headline(parts.plan)}")
    lines.append(
        f"<sub>sfcode edits this comment with every push. It is about {', '.join(subjects)}</sub>" if subjects else ""
    )
    return "\n" + "\n\n".join(line for line in lines if line) + "\n"


def _fit(text: str, room: int) -> str:
    """Truncate a text that masking has made too long."""
    cut = "\n\n(truncated: GitHub limits the length of comments)\n"
    return text if len(text) <= room else text[: room - len(cut)] + cut
