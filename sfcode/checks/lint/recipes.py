"""Recipes with reports of activities, which Salesforce archives (SF215)."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.diagnostics import Diagnostic


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Find reports whose records Salesforce archives."""
    project = side.project
    kind = project.settings.relay.activities_as
    if project.recipes.completed_flows is not None and kind != "custom_object":
        message = (
            f"counts records of {kind.capitalize()}, which Salesforce archives out of reports 365 days after their end"
        )
        hint = "write `activities_as: custom_object` in sfcode.yaml to keep them, unless a year is enough"
        yield report("SF215", project.recipe_place("completed_flows"), message, hint)
