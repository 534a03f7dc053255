"""Everything that a config can be told about offline, beyond what keeps it from loading."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.review.lint import advice, chain, habits, names, rights, secrets, unused
from sfcode.review.lint.rules import RULES, Rule
from sfcode.review.model import Finding
from sfcode.review.snapshot import Snapshot

__all__ = ["RULES", "Rule", "lint"]

_CHECKS = (advice.check, chain.check, rights.check, habits.check, names.check, secrets.check, unused.check)


def lint(side: Snapshot) -> Iterator[Finding]:
    """Apply every rule to one side."""
    for check in _CHECKS:
        yield from check(side)
