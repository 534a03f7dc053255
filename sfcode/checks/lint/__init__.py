"""Everything that a config can be told about offline, beyond what keeps it from loading."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.lint import config, delivery_chain, names, privacy, rights, secrets, unused
from sfcode.checks.rules import RULES, Rule
from sfcode.checks.snapshot import Snapshot
from sfcode.review.model import Finding

__all__ = ["RULES", "Rule", "lint"]

_CHECKS = (config.check, delivery_chain.check, rights.check, privacy.check, names.check, secrets.check, unused.check)


def lint(side: Snapshot) -> Iterator[Finding]:
    """Apply every rule to one side."""
    for check in _CHECKS:
        yield from check(side)
