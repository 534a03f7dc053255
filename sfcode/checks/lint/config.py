"""What the loader and the generator advise (SF002), retired features among it (SF206, SF207)."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.rules import of
from sfcode.checks.snapshot import Snapshot
from sfcode.review.model import Finding

_OWN_RULES = {"to_appcues.trigger": "SF206", "integration_user.profile": "SF207"}


def check(side: Snapshot) -> Iterator[Finding]:
    """Turn advice into findings."""
    for problem in (*side.project.advice, *side.desired.advice):
        yield of(_OWN_RULES.get(problem.path, "SF002"), problem)
