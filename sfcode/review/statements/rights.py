"""Statements about the permissions and the identity of the integration user."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.access_changes import describe_access
from sfcode.checks.granted_rights import spell_as
from sfcode.checks.phrases import code, join_list
from sfcode.mapping import naming
from sfcode.review.model import Group, Statement
from sfcode.review.statements.context import Context


def rights_statements(context: Context) -> Iterator[Statement]:
    """Describe added and removed permissions, from the permission sets."""
    for sentence in describe_access(context.access):
        yield Statement(Group.ACCESS, sentence.text, sentence.risk, sentence.because, sentence.position)
    yield from _viewers(context)


def _viewers(context: Context) -> Iterator[Statement]:
    new = context.after.viewer_rights
    old = spell_as(context.before.viewer_rights if context.before else {}, new)
    name = code(naming.viewer_set(context.after.project.settings.name))
    for words, names in (
        ("can see", [subject for key, subject in new if (key, subject) not in old]),
        ("no longer see", [subject for key, subject in old if (key, subject) not in new]),
    ):
        if names:
            text = f"People with the permission set {name} {words} {join_list(sorted(names))}"
            yield Statement(Group.ACCESS, text)
    was = set(context.before.project.settings.viewers) if context.before else set()
    will = set(context.after.project.settings.viewers)
    for words, people in (("will get", will - was), ("will lose", was - will)):
        if people:
            text = f"{join_list(map(code, sorted(people)))} {words} the permission set {name}"
            yield Statement(Group.ACCESS, text, position=context.after.project.at("viewers"))
