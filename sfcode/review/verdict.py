"""Whether a review lets a pipeline go on."""

from __future__ import annotations

from sfcode.review.model import Level, Review, Risk


def fails(review: Review, fail_on: str) -> bool:
    """Tell whether there is anything of the kind that the caller wants to stop at; `never` stops at nothing but a config that does not load."""
    if review.problems:
        return True
    if fail_on == "never":
        return False
    worst = max((finding.level for finding in review.findings), default=None)
    if worst is Level.ERROR or (fail_on == "high" and review.risk is Risk.HIGH):
        return True
    return fail_on == "warning" and any(finding.level is Level.WARNING and finding.new for finding in review.findings)
