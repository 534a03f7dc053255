"""What the loader and the generator advise (SF002), retired features among it (SF206, SF207)."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.lint.rules import of
from sfcode.review.model import Finding
from sfcode.review.snapshot import Snapshot

_OWN_RULES = {"to_appcues.trigger": "SF206", "integration_user.profile": "SF207"}


def check(side: Snapshot) -> Iterator[Finding]:
    """Turn advice into findings."""
    for problem in (*side.project.advice, *side.desired.advice):
        yield of(_OWN_RULES.get(problem.path, "SF002"), problem)
