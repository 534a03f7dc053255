"""Renames in place: all or none, repeatable, and undone in the reverse order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.apply.rename import rename
from sfcode.errors import OrgError, OrgUnreachable
from sfcode.metadata.component import Address
from sfcode.plan.snapshot import Move

FIELD = [
    Move(Address("CustomField", f"Contact.Old{n}__c"), Address("CustomField", f"Contact.New{n}__c")) for n in "123"
]
USER = Move(Address("User", "old@example.com"), Address("User", "new@example.com"))
LOST = OrgUnreachable("no answer", "Check the connection.")


@dataclass
class Renamer:
    """An org with components and users, which loses or refuses some renames, each once; no local org can do this."""

    names: set[str]
    before: dict[str, OrgError] = field(default_factory=dict)
    """Errors by the new name, raised before the rename."""
    after: dict[str, OrgError] = field(default_factory=dict)
    """Errors by the new name, raised after the rename, as when the response is lost."""
    unreachable: str = ""
    """The new name of a rename that is never answered."""
    calls: list[str] = field(default_factory=list)

    @property
    def metadata(self) -> Renamer:
        return self

    def read_metadata(self, type_: str, names: Collection[str]) -> list[Any]:
        return [SimpleNamespace(address=Address(type_, name)) for name in names if name in self.names]

    def rename_metadata(self, type_: str, former: str, present: str) -> None:
        assert type_ == "CustomField"
        self._rename(former, present)

    def query(self, _soql: str, username: str) -> list[dict[str, str]]:
        return [{"Id": username}] if username in self.names else []

    def update(self, sobject: str, row_id: str, values: dict[str, str]) -> None:
        assert sobject == "User"
        self._rename(row_id, values["Username"])

    def _rename(self, former: str, present: str) -> None:
        self.calls.append(f"{former} > {present}")
        if present == self.unreachable:
            raise LOST
        if present in self.before:
            raise self.before.pop(present)
        if former not in self.names:
            raise OrgError(f"{former} does not exist")
        self.names = self.names - {former} | {present}
        if present in self.after:
            raise self.after.pop(present)


def start(*moves: Move, **faults: dict[str, OrgError]) -> Any:
    return Renamer({move.former.full_name for move in moves}, **faults)


def test_components_and_users_are_renamed_in_order() -> None:
    org = start(*FIELD, USER)
    rename(org, [*FIELD, USER])
    assert org.names == {move.present.full_name for move in (*FIELD, USER)}
    assert org.calls == [f"{move.former.full_name} > {move.present.full_name}" for move in (*FIELD, USER)]


@pytest.mark.parametrize("move", [FIELD[0], USER])
def test_a_rename_of_an_interrupted_apply_is_not_repeated(move: Move) -> None:
    org = Renamer({move.present.full_name})
    rename(org, [move])  # type: ignore[arg-type]
    assert org.calls == []


@pytest.mark.parametrize("move", [FIELD[0], USER])
@pytest.mark.parametrize(("moment", "count"), [("before", 2), ("after", 1)])
def test_a_rename_whose_response_was_lost_is_sent_again_only_if_the_org_has_not_made_it(
    move: Move, moment: str, count: int
) -> None:
    org = start(move, **{moment: {move.present.full_name: LOST}})
    rename(org, [move])
    assert org.names == {move.present.full_name}
    assert len(org.calls) == count


def test_a_component_whose_new_name_is_taken_is_not_taken_for_renamed() -> None:
    move = FIELD[0]
    org = Renamer({move.former.full_name, move.present.full_name}, before={move.present.full_name: OrgError("taken")})
    with pytest.raises(OrgError, match="taken"):
        rename(org, [move])  # type: ignore[arg-type]


def test_a_component_with_neither_name_is_not_taken_for_renamed() -> None:
    with pytest.raises(OrgError, match=r"Contact.Old1__c does not exist"):
        rename(Renamer(set()), FIELD[:1])  # type: ignore[arg-type]


def test_a_refused_rename_undoes_the_earlier_ones_in_the_reverse_order() -> None:
    refused = FIELD[2].present.full_name
    org = start(*FIELD, before={refused: OrgError("in use", "Remove the report.", code="IN_USE")})
    with pytest.raises(OrgError) as stopped:
        rename(org, FIELD)
    assert org.names == {move.former.full_name for move in FIELD}
    assert org.calls[3:] == ["Contact.New2__c > Contact.Old2__c", "Contact.New1__c > Contact.Old1__c"]
    assert stopped.value.message == (f"{FIELD[2].former} cannot be renamed to {refused}: in use. Nothing was changed.")
    assert (stopped.value.hint, stopped.value.code) == ("Remove the report.", "IN_USE")


def test_a_refusal_without_a_hint_says_how_to_continue() -> None:
    org = start(FIELD[0], before={FIELD[0].present.full_name: OrgError("in use")})
    with pytest.raises(OrgError) as stopped:
        rename(org, FIELD[:1])
    assert stopped.value.hint.startswith("Remove the components that refer to it, or remove its line from `moved`")


def test_a_lost_connection_undoes_nothing_so_that_the_next_apply_continues() -> None:
    org = start(*FIELD)
    org.unreachable = FIELD[1].present.full_name
    with pytest.raises(OrgUnreachable) as lost:
        rename(org, FIELD)
    assert lost.value is LOST
    assert org.names == {"Contact.New1__c", "Contact.Old2__c", "Contact.Old3__c"}
    assert len(org.calls) == 3, "the second rename is tried twice"
