"""Check the data of recipes: roles of records, and activities that will soon be archived."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.doctor.facts import Facts, MappingFacts, Unknown
from sfcode.checks.rules import report
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Level
from sfcode.mapping.resolved import ResolvedMapping


def check(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Check the data of each recipe."""
    collected = {mapping_facts.name: mapping_facts for mapping_facts in facts.mappings}
    for mapping in project.resolved:
        if mapping.name in collected:
            yield from _check_roles(project, mapping, collected[mapping.name])
    yield from _check_archive(project, facts)


def _check_roles(project: Project, mapping: ResolvedMapping, mapping_facts: MappingFacts) -> Iterator[Diagnostic]:
    recipe, counts = project.recipes.role_onboarding, mapping_facts.roles
    if recipe is None or counts is None:
        return
    name = recipe.attribute
    place = mapping.place("to_appcues", "attributes", name)
    if isinstance(counts, Unknown):
        message = f"the records of each {name} of {mapping.name} were not counted: {counts.reason}"
        yield report("D514", place, message, level=Level.NOTE)
        return
    shares = [f"{role} {records:,}" for role, records in counts.roles.items()]
    none = counts.blank + counts.unlisted
    reasons = [
        f"{counts.blank:,} blank" if counts.blank else "",
        f"{counts.unlisted:,} with a value that `map` does not list" if counts.unlisted else "",
    ]
    explanation = f" ({', '.join(filter(None, reasons))})" if none else ""
    message = f"{name} of {mapping.name}: {', '.join([*shares, f'none {none:,}'])}{explanation}"
    if not counts.complete:
        message += "; the rarest values were not counted"
    hint = (
        f"Most frequent values without their own line: {', '.join(counts.unlisted_values)}."
        if counts.unlisted_values
        else ""
    )
    level = Level.OK if not none else Level.NOTE if counts.roles else Level.WARNING
    yield report("D514", place, message, hint if level is not Level.OK else "", level=level)
    listed_roles = {str(role).lower() if isinstance(role, bool) else str(role) for role in recipe.values}
    empty = sorted(listed_roles - counts.roles.keys())
    if empty and counts.complete:
        message = f"no record of {mapping.name} has the {name} {', '.join(empty)}: a segment of it is empty"
        yield report("D514", project.recipe_place("role_onboarding", "values"), message, hint, level=Level.NOTE)


def _check_archive(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Count the activities that the report of completed flows will soon lose."""
    if project.recipes.completed_flows is None:
        return
    # Mappings share the object of activities, so the count of any mapping has all records.
    counts = [
        mapping_facts.old_activities
        for mapping_facts in facts.mappings
        if isinstance(mapping_facts.old_activities, int)
    ]
    most = max(counts, default=0)
    if most:
        message = f"{most:,} activities are about to be archived, a year after their end: no report counts them then"
        hint = "Set `activities_as: custom_object` in sfcode.yaml: its records are not archived."
        yield report("D515", project.recipe_place("completed_flows"), message, hint)
