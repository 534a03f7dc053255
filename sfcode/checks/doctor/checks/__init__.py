"""The checks of the doctor: pure functions from facts to diagnostics."""

from __future__ import annotations

from sfcode.checks.doctor.checks import data, org, relay, retired, user
from sfcode.checks.doctor.facts import Facts
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic


def examine(project: Project, facts: Facts) -> tuple[Diagnostic, ...]:
    """Run all checks and return the diagnostics, the worst first."""
    diagnostics = [
        *org.check(project, facts),
        *user.check(project, facts),
        *retired.check(project),
        *relay.check(project, facts),
        *data.check(project, facts),
    ]
    return tuple(sorted(diagnostics, key=lambda each: (-each.level, each.rule, str(each.position), each.message)))
