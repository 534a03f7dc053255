"""The checks of the doctor: pure functions from facts to diagnostics."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.doctor.checks import data, org, recipes, relay, user
from sfcode.checks.doctor.facts import Facts
from sfcode.checks.rules import report
from sfcode.config.project import Project
from sfcode.config.rules.settings import DEPRECATED_PROFILE
from sfcode.diagnostics import Diagnostic, Level


def examine(project: Project, facts: Facts) -> tuple[Diagnostic, ...]:
    """Run all checks and return the diagnostics, the worst first."""
    diagnostics = [
        *org.check(project, facts),
        *user.check(project, facts),
        *_check_retired(project),
        *relay.check(project, facts),
        *data.check(project, facts),
        *recipes.check(project, facts),
    ]
    return tuple(
        sorted(
            diagnostics,
            key=lambda diagnostic: (-diagnostic.level, diagnostic.rule, str(diagnostic.position), diagnostic.message),
        )
    )


def _check_retired(project: Project) -> Iterator[Diagnostic]:
    """Find features in the config that Salesforce has retired."""
    for mapping in project.resolved:
        if mapping.sends and mapping.by_relay and mapping.trigger == "workflow_rule":
            message = f"{mapping.name} is sent by a workflow rule; Salesforce ended their support on 2025-12-31"
            hint = "Set trigger: flow; the outbound message is kept."
            yield report("D301", mapping.place("to_appcues", "trigger"), message, hint, level=Level.WARNING)
    if project.settings.integration_user.profile == DEPRECATED_PROFILE:
        message = f"Salesforce replaced the profile {DEPRECATED_PROFILE}, which new orgs do not have"
        hint = "Set profile: Minimum Access - API Only Integrations."
        yield report("D302", project.place("integration_user", "profile"), message, hint, level=Level.WARNING)
