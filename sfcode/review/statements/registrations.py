"""Statements about campaign members (the recipe `event_registration`)."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.phrases import code, join_list
from sfcode.config.project import Project
from sfcode.config.recipe_models import EventRegistration
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.review.statements.to_salesforce import NEW_DATA

_REGISTRATION_WORDS = {
    "flow_completed": ("complete", "flow"),
    "form_submitted": ("submit", "form"),
    "click_to_track": ("trigger", "event"),
}
"""The verb and the noun for each event that registers people."""


def registration_statements(context: Context) -> Iterator[Statement]:
    """Describe added and removed registrations."""
    old, new = _registrations(context.before.project if context.before else None), _registrations(context.after.project)
    for text in old:
        if text not in new:
            yield Statement(Group.WRITTEN, text.replace("will become", "will no longer become", 1))
    for text, index in new.items():
        if text not in old:
            position = context.after.project.recipe_place("event_registration", index).position
            yield Statement(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA, position)


def _registrations(project: Project | None) -> dict[str, int]:
    """Describe the registrations of a project, each with its place in the list."""
    indexes: dict[str, int] = {}
    for index, registration in enumerate(project.recipes.event_registration if project else ()):
        indexes.setdefault(_describe(registration), index)
    return indexes


def _describe(registration: EventRegistration) -> str:
    verb, noun = _REGISTRATION_WORDS[registration.when.event]
    items = registration.when.items
    subject = f"the {noun} {join_list(map(code, items), 'or')}" if items else f"any {noun}"
    return (
        f"People who {verb} {subject} will become members of the campaign {code(registration.campaign.key)}, with the status "
        f"{code(registration.status)}"
    )
