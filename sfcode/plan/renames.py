"""
Apply renames in place to bodies and addresses, like an org does.

Renaming an object also renames its fields, messages and rules; an assignment follows its user and permission set. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.mapping.activities import ACTIVITY_OBJECTS
from sfcode.metadata.component import Address, Body, Component
from sfcode.plan.references import QUALIFIED
from sfcode.plan.sandbox_names import USER_NAMES
from sfcode.plan.snapshot import Move
from sfcode.plan.state import Applied, Past


def order_renames(moves: Iterable[Move]) -> tuple[Move, ...]:
    """List the renames that carry out some moves, in order: objects come first, since that renames their fields too."""
    in_place = sorted(move for move in moves if move.in_place)
    objects = [move for move in in_place if move.former.type == "CustomObject"]
    owners = Renames(tuple(objects))
    renames = (Move(owners.rename_address(move.former), move.present) for move in in_place if move not in objects)
    return (*objects, *renames)


def follow_renames(applied: Applied, observed: Collection[Address]) -> Applied:
    """Return the state with those planned renames that an interrupted apply made, as the names in the org show."""
    for former, present in applied.renaming:
        if present in observed and former not in observed:
            applied = Renames((Move(former, present),)).rename_state(applied)
    return replace(applied, renaming=())


@dataclass(frozen=True)
class Renames:
    """The renames of some moves."""

    moves: tuple[Move, ...]
    _full_names: dict[Address, str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._full_names.update({move.former: move.present.full_name for move in self.moves if move.in_place})

    def invert(self) -> Renames:
        """Return the renames that undo these."""
        return Renames(tuple(Move(move.present, move.former, in_place=move.in_place) for move in self.moves))

    def rename_user(self, username: str) -> str:
        """Return the present username."""
        return self._full_names.get(Address("User", username), username)

    def rename_address(self, address: Address) -> Address:
        """Return the present address."""
        if address.is_business_record:
            return address
        if address.is_record and address.type != "User":
            name, _, username = address.full_name.rpartition("/")
            sets = self._full_names.get(Address("PermissionSet", name), name)
            name = sets if address.type == "PermissionSetAssignment" else name
            return Address(address.type, f"{name}/{self.rename_user(username)}")
        if address in self._full_names:
            return Address(address.type, self._full_names[address])
        owner, dot, last = address.full_name.partition(".")
        return Address(address.type, f"{self._rename_object(owner) if dot else owner}{dot}{last}")

    def rename(self, component: Component) -> Component:
        """Return a component with the present names."""
        address = self.rename_address(component.address)
        return Component(address.type, address.full_name, self.rename_body(component.address, component.body))

    def rename_body(self, address: Address, body: Body) -> Body:
        """Return the body of an address with the present names."""
        if not self._full_names:
            return body
        renamed = dict(body)
        for key in (*USER_NAMES, "Assignee", "Username"):
            if isinstance(name := body.get(key), str) and (key != "Username" or address.type == "User"):
                renamed[key] = self.rename_user(name)
        if address.type == "PermissionSetAssignment":
            renamed["PermissionSet"] = self.rename_address(address).full_name.rpartition("/")[0]
        renames = {"fieldPermissions": self._rename_field, "objectPermissions": self._rename_object}
        for element, rename in renames.items() if address.type in QUALIFIED else ():
            if isinstance(rows := body.get(element), Mapping):
                renamed[element] = {rename(name): row for name, row in rows.items()}
        return renamed

    def rename_all(self, value: Any) -> Any:
        """Return a value of any depth with the present names in addresses and components."""
        match value:
            case Address():
                return self.rename_address(value)
            case Component():
                return self.rename(value)
            case Mapping():
                return {self.rename_all(key): self.rename_all(content) for key, content in value.items()}
            case tuple() if type(value) is tuple:
                return tuple(map(self.rename_all, value))
            case frozenset():
                return frozenset(map(self.rename_all, value))
            case _:
                return value

    def rename_state(self, applied: Applied) -> Applied:
        """Return the applied state with the present names, also in its history."""
        if not self._full_names:
            return applied
        return replace(
            applied,
            components=self._rename_bodies(applied.components),
            records=self._rename_bodies(applied.records),
            history=tuple(map(self._rename_past, applied.history)),
        )

    def _rename_past(self, past: Past) -> Past:
        return replace(
            past,
            before={
                self.rename_address(address): None if body is None else self.rename_body(address, body)
                for address, body in past.before.items()
            },
            owned=frozenset(map(self.rename_address, past.owned)),
            drifted=frozenset(map(self.rename_address, past.drifted)),
            moves={self.rename_address(present): former for present, former in past.moves.items()},
        )

    def _rename_bodies(self, bodies: Mapping[Address, Body]) -> dict[Address, Body]:
        return {self.rename_address(address): self.rename_body(address, body) for address, body in bodies.items()}

    def _rename_object(self, name: str) -> str:
        return self._full_names.get(Address("CustomObject", name), name)

    def _rename_field(self, name: str) -> str:
        """Rename a field in a field permission, where Event or Task stands for Activity."""
        owner, _, last = name.partition(".")
        for container in ("Activity", owner) if owner in ACTIVITY_OBJECTS else (owner,):
            address = Address("CustomField", f"{container}.{last}")
            renamed_owner, _, renamed = self.rename_address(address).full_name.partition(".")
            if (renamed_owner, renamed) != (container, last):
                return f"{owner if container == 'Activity' else renamed_owner}.{renamed}"
        return name
