"""Judge facts: pure functions from what was looked up to findings."""

from __future__ import annotations

from sfcode.checks.doctor.checks import data, org, relay, retired, user
from sfcode.checks.doctor.facts import Facts
from sfcode.checks.doctor.finding import Finding, ordered
from sfcode.config.project import Project


def examine(project: Project, facts: Facts) -> tuple[Finding, ...]:
    """Judge everything, the worst first."""
    found = [
        *org.check(project, facts),
        *user.check(project, facts),
        *retired.check(project),
        *relay.check(project, facts),
        *data.check(project, facts),
    ]
    return ordered(found)
