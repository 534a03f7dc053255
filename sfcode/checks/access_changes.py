"""Describe changes of permissions for reviews and plans, as rows and as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.checks.granted_rights import Rights, rights_of, spell_as
from sfcode.checks.phrases import code, join_list
from sfcode.diagnostics import Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping import naming
from sfcode.mapping.permissions import FIELD_FLAGS, POWERFUL_PERMISSIONS, USER_PERMISSIONS
from sfcode.plan.change import Change
from sfcode.plan.risk import Risk

ALL_RECORDS = "the integration user can access all records of an object, regardless of the owner"
POWERFUL = "the permission is not limited to the mapped objects"
WIDER = "the integration user gains rights"
INTEGRATION_USER = "The integration user"
VIEWERS = naming.viewer_set("")
"""The suffix of the name of the viewers' permission set."""

_ORDER = ("object", "field", "permission")
_WITH_MODIFY_ALL = ("Read", "Edit", "Delete", "View All")


@dataclass(frozen=True, slots=True)
class Access:
    """The access to one object or field before and after, and the YAML line that requires it."""

    kind: str
    """The kind of the subject: profile, object, field or permission."""
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    path: str = ""
    """The path in the document: `to_appcues.attributes.plan`."""
    position: Position | None = None

    @property
    def changed(self) -> bool:
        """Whether the change grants or revokes access."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class AccessSentence:
    """One change of access in plain words, its risk, and the rule that gives it."""

    text: str
    risk: Risk = Risk.LOW
    because: str = ""
    position: Position | None = None


def list_subjects(old: Rights, new: Rights) -> list[tuple[str, str]]:
    """Return kind and name of all subjects with rights on either side: objects first, then fields."""
    return sorted({*old, *new}, key=lambda key: (_ORDER.index(key[0]), key[1]))


def describe_permission_set(change: Change) -> tuple[str, ...]:
    """Describe the rights that a change of a permission set grants and revokes."""
    new = rights_of(change.after)
    old = spell_as(rights_of(change.before), new)
    rows = [Access(*key, old.get(key, ()), new.get(key, ())) for key in list_subjects(old, new)]
    name = change.address.full_name
    owner = f"A user with the permission set {code(name)}" if name.endswith(VIEWERS) else INTEGRATION_USER
    return tuple(sentence.text for sentence in describe_access(rows, owner))


def describe_access(rows: Sequence[Access], owner: str = INTEGRATION_USER) -> Iterator[AccessSentence]:
    """Describe added and removed permissions; `owner` is the subject of each sentence."""
    changed = [row for row in rows if row.changed]
    for row in changed:
        if row.kind == "object":
            yield from _describe_object(row, owner)
    yield from _describe_fields([row for row in changed if row.kind == "field"], owner)
    for row in changed:
        if row.kind == "permission":
            name = USER_PERMISSIONS.get(row.name, row.name)
            if not row.after:
                yield AccessSentence(f"{owner} loses the permission {name}")
            else:
                risk, because = (Risk.HIGH, POWERFUL) if row.name in POWERFUL_PERMISSIONS else (Risk.MEDIUM, WIDER)
                yield AccessSentence(f"{owner} gains the permission {name}", risk, because, row.position)


def _describe_object(row: Access, owner: str) -> Iterator[AccessSentence]:
    gained = [right for right in row.after if right not in row.before]
    losses = [right for right in row.before if right not in row.after]
    if gained:
        with_it = [right for right in gained if right in _WITH_MODIFY_ALL] if "Modify All" in gained else []
        independent_rights = [right for right in gained if right not in with_it]
        text = f"{owner} gains {join_list(independent_rights)} on {row.name}"
        if with_it:
            text += f", which brings {join_list(with_it)}"
        wide = {"View All", "Modify All"} & {*gained}
        risk, because = (Risk.HIGH, ALL_RECORDS) if wide else (Risk.MEDIUM, WIDER)
        yield AccessSentence(text, risk, because, row.position)
    if losses:
        yield AccessSentence(f"{owner} loses {join_list(losses)} on {row.name}")


def _describe_fields(rows: Sequence[Access], owner: str) -> Iterator[AccessSentence]:
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
            text = f"{owner} {words} {join_list(row.name for row in matching_rows)}"
            yield AccessSentence(text, risk, WIDER if risk else "", _first_place(matching_rows))


def _first_place(rows: Sequence[Access]) -> Position | None:
    return next((row.position for row in rows if row.position), None)
