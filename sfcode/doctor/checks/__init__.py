"""Judge facts: pure functions from what was looked up to findings."""

from __future__ import annotations

from sfcode.config.project import Project
from sfcode.doctor.checks import data, org, relay, retired, user
from sfcode.doctor.facts import Facts
from sfcode.doctor.finding import Finding, ordered


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
