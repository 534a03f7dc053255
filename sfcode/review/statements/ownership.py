"""Statements about the ownership of components: adopted, replaced, renamed in place, released, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.checks.phrases import code, join_list
from sfcode.metadata.component import Address
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context


def existing_statements(context: Context) -> Iterator[Statement]:
    """Describe components that are newly adopted, no longer adopted, or replaced."""
    old, new = context.before.project if context.before else None, context.after.project
    before, after = old.adopted if old else frozenset(), new.adopted
    position = new.at("as_is")
    if new_adoptions := sorted(after - before):
        text = f"{join_list(code(entry) for entry in new_adoptions)} will be left as {_are(new_adoptions)} in the org, and watched"
        yield Statement(Group.SETUP, text, Risk.LOW, "", position)
    if changed := sorted(before - after):
        text = f"{join_list(code(entry) for entry in changed)} will no longer be left as {_are(changed)} in the org"
        because = "what that changes is in no file: `sfcode plan` shows it"
        yield Statement(Group.ACCESS, text, Risk.HIGH, because, position)
    replacements = new.replaced.items() - (old.replaced if old else {}).items()
    for name in sorted({mapping for _, mapping in replacements}):
        names = join_list(code(address) for address, mapping in sorted(replacements) if mapping == name)
        mapping = next(candidate for candidate in new.mappings if candidate.name == name)
        text = f"{names} will be deleted from the org: the relay takes the place of what sends today"
        because = "components that sfcode did not make are deleted"
        yield Statement(Group.SETUP, text, Risk.HIGH, because, mapping.at("replaces"))


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


def _are(names: Sequence[Address]) -> str:
    return "they are" if len(names) > 1 else "it is"
