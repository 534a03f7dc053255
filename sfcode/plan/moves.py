"""
Moves: what has another name than at the last apply.

A field, a permission set or a user is renamed in place, and keeps its values, its assignments or its license. What an
org cannot rename (a flow, a message, a field that a flow names) is replaced: made anew and deleted. The names come
from `moved:` in the config; a renamed mapping is recognized without it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sfcode.config.project import Project
from sfcode.mapping import naming
from sfcode.metadata.component import Address, Body, Component, Value
from sfcode.plan.references import ACTIVITIES, QUALIFIED, refers_to
from sfcode.plan.sandbox_names import USER_NAMES
from sfcode.plan.snapshot import Move, OrgSnapshot
from sfcode.plan.state import Applied, Past

RENAMED_TYPES = {"CustomField", "PermissionSet", "User"}
"""What an org renames in place, with everything that hangs on it."""

SENDERS = {"Flow", "WorkflowOutboundMessage", "WorkflowRule"}
"""Types of the components that have the name of a mapping."""


def find_moves(project: Project, wanted: Iterable[Address], snapshot: OrgSnapshot) -> tuple[Move, ...]:
    """List the addresses that are managed under a former name; `wanted` are those that the config asks for now."""
    former_names = FormerNames(project, tuple(wanted), snapshot.applied)
    managed, observed, asked = snapshot.applied.addresses(), snapshot.components, {*former_names.wanted}
    managed |= {Address("User", name) for name in former_names.users if Address("User", name) in observed}
    moves = []
    for present in sorted(former_names.wanted):
        former = former_names.find(present)
        if former == present or former in asked or former not in managed or present in managed:
            continue
        if (former in observed) == (present in observed) or (present.is_record and present.type != "User"):
            continue  # gone, or both are there; assignments follow their user and their permission set
        in_place = _is_renamed(former, present, snapshot)
        if in_place or former in observed:
            moves.append(Move(former, present, in_place=in_place, done=former not in observed))
    return tuple(moves)


def find_reversed_moves(past: Past, snapshot: OrgSnapshot) -> tuple[Move, ...]:
    """List the moves that undo those of an apply."""
    observed = snapshot.components
    return tuple(
        Move(present, former)
        for present, former in sorted(past.moves.items())
        if present in observed and former not in observed
    )


def apply_moves(snapshot: OrgSnapshot, moves: tuple[Move, ...]) -> OrgSnapshot:
    """Return the org and its state as they are once everything is renamed: what a plan then compares."""
    renames = Renames(moves)
    components = {component.address: component for component in map(renames.rename, snapshot.components.values())}
    return replace(
        snapshot,
        components=components,
        applied=renames.rename_state(snapshot.applied),
        other_rights={renames.rename_user(name): sets for name, sets in snapshot.other_rights.items()},
        moves=moves,
    )


@dataclass(frozen=True)
class FormerNames:
    """The names that the addresses of a project had before, by the config and the applied state."""

    project: Project
    wanted: tuple[Address, ...]
    applied: Applied

    def find(self, present: Address) -> Address:
        """Return the former address; the same one where nothing about it was renamed."""
        head, dot, last = present.full_name.rpartition("/" if present.is_record and present.type != "User" else ".")
        if present.type == "User":
            return Address("User", next(iter(self.users), present.full_name))
        if present.is_record:
            user = next(iter(self.users), last)
            return Address(present.type, f"{self._replace_prefix(head)}/{user}")
        if present.type == "CustomField" and present.full_name.lower() in self._fields:
            return Address(present.type, self._fields[present.full_name.lower()])
        if present.type in SENDERS:
            return Address(present.type, f"{head}{dot}{self._senders.get(last.lower(), last)}")
        owner = self._replace_prefix(head) if naming.is_custom(head) else head
        return Address(present.type, f"{owner}{dot}{self._replace_prefix(last)}")

    @property
    def users(self) -> tuple[str, ...]:
        """The former username, if there is one."""
        user = self.project.settings.moved.user
        return (user,) if user else ()

    @property
    def _prefixes(self) -> tuple[str, str]:
        name = self.project.settings.name
        return self.project.settings.moved.name or name, name

    def _replace_prefix(self, name: str) -> str:
        former, present = self._prefixes
        begins = name.lower().startswith(f"{present}_".lower())
        return f"{former}_{name[len(present) + 1 :]}" if begins else name

    @cached_property
    def _fields(self) -> dict[str, str]:
        moved = self.project.settings.moved.fields
        return {present.lower(): former for former, present in moved.items()}

    @cached_property
    def _senders(self) -> dict[str, str]:
        """The former developer name of each mapping's components, by the present one in lower case."""
        former_prefix, prefix = self._prefixes
        former = {present.lower(): name for name, present in self.project.settings.moved.mappings.items()}
        names = {
            naming.mapping_name(prefix, one.name).lower(): naming.mapping_name(
                former_prefix, former.get(one.name.lower(), one.name)
            )
            for one in self.project.resolved
        }
        return dict(self._pair_messages()) | {new: old for new, old in names.items() if new != old.lower()}

    def _pair_messages(self) -> Iterator[tuple[str, str]]:
        """Pair the one message of an object that is no longer asked for with the one that is new: its mapping was renamed."""
        for owner in {one.object.lower() for one in self.project.resolved}:
            kinds = {"WorkflowOutboundMessage"}
            old = [each for each in self.applied.components if each.type in kinds and _owner(each) == owner]
            new = [each for each in self.wanted if each.type in kinds and _owner(each) == owner]
            gone, made = [each for each in old if each not in new], [each for each in new if each not in old]
            if len(gone) == len(made) == 1:
                yield _last(made[0]).lower(), _last(gone[0])


@dataclass(frozen=True)
class Renames:
    """Renames in bodies and addresses, as an org makes them where something is renamed in place."""

    moves: tuple[Move, ...]
    _full_names: dict[Address, str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._full_names.update({move.former: move.present.full_name for move in self.moves if move.in_place})

    def reversed(self) -> Renames:
        """Return the renames that undo these."""
        return Renames(tuple(Move(move.present, move.former, in_place=move.in_place) for move in self.moves))

    def rename_user(self, username: str) -> str:
        """Return the present username."""
        return self._full_names.get(Address("User", username), username)

    def rename_address(self, address: Address) -> Address:
        """Return the present address; an assignment follows its user and its permission set."""
        if address.is_record and address.type != "User":
            what, _, username = address.full_name.rpartition("/")
            sets = self._full_names.get(Address("PermissionSet", what), what)
            what = sets if address.type == "PermissionSetAssignment" else what
            return Address(address.type, f"{what}/{self.rename_user(username)}")
        return Address(address.type, self._full_names.get(address, address.full_name))

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
        rows = body.get("fieldPermissions")
        if address.type in QUALIFIED and isinstance(rows, Mapping):
            renamed["fieldPermissions"] = {self._rename_field(name): row for name, row in rows.items()}
        return renamed

    def rename_state(self, applied: Applied) -> Applied:
        """Return the applied state with the present names, in its history too."""
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

    def _rename_field(self, name: str) -> str:
        """Rename a field in a permission; a field of Activity is one of Event and Task there."""
        owner, _, last = name.partition(".")
        for container in ("Activity", owner) if owner in ACTIVITIES else (owner,):
            renamed = self._full_names.get(Address("CustomField", f"{container}.{last}"))
            if renamed:
                return f"{owner}.{renamed.partition('.')[2]}"
        return name


def _is_renamed(former: Address, present: Address, snapshot: OrgSnapshot) -> bool:
    """Return whether an org renames this in place: it renames no formula's or flow's field, which holds no values or is in use."""
    if former.type not in RENAMED_TYPES or _owner(former) != _owner(present):
        return False
    there = snapshot.components.get(former)
    if former.type != "CustomField" or there is None:
        return True
    versions = (version.flow for found in snapshot.flow_versions.values() for version in found)
    users = (component for component in (*snapshot.components.values(), *versions) if component.type not in QUALIFIED)
    return not (_has_formula(there.body) or any(refers_to(component, former) for component in users))


def _has_formula(body: Body) -> bool:
    formula: Value = body.get("formula")
    return formula is not None


def _owner(address: Address) -> str:
    return address.full_name.rpartition(".")[0].lower() if address.type != "User" else ""


def _last(address: Address) -> str:
    return address.full_name.rpartition(".")[2]
