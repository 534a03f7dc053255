"""Statements about what a plan renames in place, releases, or refuses."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.review.statements.phrases import code


def ownership_statements(context: Context) -> Iterator[Statement]:
    """Describe renamed fields, released components, and why the plan would be refused as a whole."""
    if context.before is None:
        return
    project = context.after.project
    for move in context.plan.moves:
        if move.in_place and move.former.type == "CustomField":
            text = f"The field {code(move.former.full_name)} will be renamed to {code(move.present.full_name)}, and keeps its values"
            yield Statement(Group.SETUP, text, Risk.LOW, "", project.at("moved", "fields", move.former.full_name))
    for address in sorted(context.plan.released):
        text = f"{code(address)} will no longer be managed, and stays in the org as it is"
        yield Statement(Group.SETUP, text, Risk.LOW, "", None)
    for refusal in context.plan.refusals:
        if refusal.address is None:
            text = f"{code('sfcode plan')} refuses this: {refusal}"
            yield Statement(Group.SETUP, text, Risk.MEDIUM, "it cannot be applied as it is", project.at("name"))
