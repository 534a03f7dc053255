"""Statements about the permissions and the identity of the integration user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.checks.granted_rights import spell_as
from sfcode.checks.risk import ALL_RECORDS, POWERFUL, WIDER
from sfcode.diagnostics import Position
from sfcode.mapping import naming
from sfcode.mapping.permissions import FIELD_FLAGS, POWERFUL_PERMISSIONS, USER_PERMISSIONS
from sfcode.review.model import Access, Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.review.statements.phrases import code, join_list

_WITH_MODIFY_ALL = ("Read", "Edit", "Delete", "View All")


def rights_statements(context: Context) -> Iterator[Statement]:
    """Describe added and removed permissions, from the permission sets."""
    changed = [row for row in context.access if row.changed]
    for row in changed:
        if row.kind == "object":
            yield from _on_object(row)
    yield from _on_fields([row for row in changed if row.kind == "field"])
    for row in changed:
        if row.kind == "permission":
            name = USER_PERMISSIONS.get(row.name, row.name)
            if not row.after:
                yield Statement(Group.ACCESS, f"The integration user loses the permission {name}")
            else:
                risk, because = (Risk.HIGH, POWERFUL) if row.name in POWERFUL_PERMISSIONS else (Risk.MEDIUM, WIDER)
                text = f"The integration user gains the permission {name}"
                yield Statement(Group.ACCESS, text, risk, because, row.position)
    yield from _viewers(context)


def _on_object(row: Access) -> Iterator[Statement]:
    gained = [right for right in row.after if right not in row.before]
    losses = [right for right in row.before if right not in row.after]
    if gained:
        with_it = [right for right in gained if right in _WITH_MODIFY_ALL] if "Modify All" in gained else []
        independent_rights = [right for right in gained if right not in with_it]
        text = f"The integration user gains {join_list(independent_rights)} on {row.name}"
        if with_it:
            text += f", which brings {join_list(with_it)}"
        wide = {"View All", "Modify All"} & {*gained}
        risk, because = (Risk.HIGH, ALL_RECORDS) if wide else (Risk.MEDIUM, WIDER)
        yield Statement(Group.ACCESS, text, risk, because, row.position)
    if losses:
        yield Statement(Group.ACCESS, f"The integration user loses {join_list(losses)} on {row.name}")


def _on_fields(rows: Sequence[Access]) -> Iterator[Statement]:
    edit, read = FIELD_FLAGS["editable"].label, FIELD_FLAGS["readable"].label
    may_edit = [row for row in rows if edit in row.after and edit not in row.before]
    may_read = [row for row in rows if read in row.after and read not in row.before and row not in may_edit]
    not_read = [row for row in rows if read not in row.after]
    not_edit = [row for row in rows if edit in row.before and edit not in row.after and row not in not_read]
    for matching_rows, words, risk in (
        (may_edit, "may read and change", Risk.MEDIUM),
        (may_read, "may read", Risk.LOW),
        (not_edit, "may no longer change", Risk.LOW),
        (not_read, "may no longer read", Risk.LOW),
    ):
        if matching_rows:
            text = f"The integration user {words} {join_list(row.name for row in matching_rows)}"
            yield Statement(Group.ACCESS, text, risk, WIDER if risk else "", _first_place(matching_rows))


def _first_place(rows: Sequence[Access]) -> Position | None:
    return next((row.position for row in rows if row.position), None)


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
