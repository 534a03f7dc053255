"""Statements about components that existed before sfcode: adopted unchanged, or replaced by the relay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.metadata.component import Address
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.review.statements.phrases import code, join_list


def existing_statements(context: Context) -> Iterator[Statement]:
    """Describe newly adopted components, those that are no longer adopted, and those that will be deleted."""
    old, new = context.before.project if context.before else None, context.after.project
    before, after = old.adopted if old else frozenset(), new.adopted
    position = new.at("as_is")
    if kept := sorted(after - before):
        text = f"{join_list(code(one) for one in kept)} will be left as {_are(kept)} in the org, and watched"
        yield Statement(Group.SETUP, text, Risk.LOW, "", position)
    if changed := sorted(before - after):
        text = f"{join_list(code(one) for one in changed)} will no longer be left as {_are(changed)} in the org"
        because = "what that changes is in no file: `sfcode plan` shows it"
        yield Statement(Group.ACCESS, text, Risk.HIGH, because, position)
    gone = new.replaced.items() - (old.replaced if old else {}).items()
    for name in sorted({mapping for _, mapping in gone}):
        names = join_list(code(address) for address, mapping in sorted(gone) if mapping == name)
        mapping = next(each for each in new.mappings if each.name == name)
        text = f"{names} will be deleted from the org: the relay takes the place of what sends today"
        because = "components that sfcode did not make are deleted"
        yield Statement(Group.SETUP, text, Risk.HIGH, because, mapping.at("replaces"))


def _are(names: Sequence[Address]) -> str:
    return "they are" if len(names) > 1 else "it is"
