"""
Moves: addresses that were renamed since the last apply.

A field, an object, a permission set or a user is renamed in place, and keeps its values, its records, its assignments or
its license. A component that an org cannot rename (a flow, a message, a field in a flow) is created with the new name and deleted.
The names come from `moved:` in the config; a renamed mapping is recognized without it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, fields, replace
from sfcode.mapping import naming
from sfcode.metadata.component import Address, Body, Component, Value
from sfcode.plan.references import QUALIFIED, References
from sfcode.plan.renames import Renames
from sfcode.plan.snapshot import Move, OrgSnapshot
from sfcode.plan.state import Applied, Past

RENAMED_TYPES = {"CustomField", "CustomObject", "PermissionSet", "User"}
"""Types that an org renames in place, with their values, assignments or license."""

KEPT_NAMES = {"target", "applied", "state", "left_state", "other_states", "moves"}
"""Fields of `OrgSnapshot` that `apply_moves` does not rename, or handles separately; all others are renamed."""

SENDERS = {"Flow", "WorkflowOutboundMessage", "WorkflowRule"}
"""Types of components that are named after a mapping."""


def find_moves(project: Project, addresses: Iterable[Address], snapshot: OrgSnapshot) -> tuple[Move, ...]:
    """List the moves of managed addresses with a former name; `addresses` are the desired ones."""
    former_names = FormerNames(project, tuple(addresses), snapshot.applied)
    managed, observed, desired_addresses = snapshot.applied.addresses(), snapshot.components, {*former_names.addresses}
    if former_names.user and (former_user := Address("User", former_names.user)) in observed:
        managed |= {former_user}
    moves: list[Move] = []
    owners, referrers = Renames(()), References(_list_referrers(snapshot))
    for present in sorted(former_names.addresses, key=lambda address: (address.type != "CustomObject", address)):
        former = former_names.find(present)
        if former == present or former in desired_addresses or former not in managed or present in managed:
            continue
        if (former in observed) == (present in observed) or (present.is_record and present.type != "User"):
            continue  # neither or both exist; assignments are renamed with their user and permission set
        if owners.rename_address(former) == present:
            continue  # renamed with its object
        in_place = _is_renamed(former, present, snapshot, owners, referrers)
        if in_place or former in observed:
            former = former if in_place else owners.rename_address(former)
            moves.append(Move(former, present, in_place=in_place, done=former not in observed))
            if present.type == "CustomObject":
                owners = Renames(tuple(moves))
    return tuple(sorted(moves))


def find_reversed_moves(past: Past, snapshot: OrgSnapshot) -> tuple[Move, ...]:
    """List the moves that undo the moves of an apply."""
    observed = snapshot.components
    return tuple(
        Move(present, former)
        for present, former in sorted(past.moves.items())
        if present in observed and former not in observed
    )


def apply_moves(snapshot: OrgSnapshot, moves: tuple[Move, ...]) -> OrgSnapshot:
    """Return the org and its state as they are after all moves, which a plan then compares."""
    renames = Renames(moves)
    renamed = {
        field.name: renames.rename_all(getattr(snapshot, field.name))
        for field in fields(OrgSnapshot)
        if field.name not in KEPT_NAMES
    }
    return replace(snapshot, **renamed, applied=renames.rename_state(snapshot.applied), moves=moves)


@dataclass(frozen=True)
class FormerNames:
    """The former names of a project's addresses, from the config and the applied state."""

    project: Project
    addresses: tuple[Address, ...]
    applied: Applied

    def find(self, present: Address) -> Address:
        """Return the former address of an address, or the address itself if it was not renamed."""
        head, dot, last = present.full_name.rpartition("/" if present.is_record and present.type != "User" else ".")
        if present.type == "User":
            return Address("User", self.user or present.full_name)
        if present.is_business_record:
            return present
        if present.is_record:
            return Address(present.type, f"{self._replace_prefix(head)}/{self.user or last}")
        if present.type == "CustomField" and present.full_name.lower() in self._fields:
            return Address(present.type, self._fields[present.full_name.lower()])
        if present.type in SENDERS:
            return Address(present.type, f"{head}{dot}{self._senders.get(last.lower(), last)}")
        owner = self._replace_prefix(head) if naming.is_custom(head) else head
        former = Address(present.type, f"{owner}{dot}{self._replace_prefix(last)}")
        # An interrupted apply may have renamed the object, but not its fields yet.
        half = Address(present.type, f"{head}{dot}{self._replace_prefix(last)}")
        return half if half in self.applied.components and former not in self.applied.components else former

    @property
    def user(self) -> str | None:
        """The former username, if there is one."""
        return self.project.settings.moved.user

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
        """The former developer names of the mappings' components, by present name in lower case."""
        former_prefix, prefix = self._prefixes
        former = {present.lower(): name for name, present in self.project.settings.moved.mappings.items()}
        names = {
            naming.mapping_name(prefix, mapping.name).lower(): naming.mapping_name(
                former_prefix, former.get(mapping.name.lower(), mapping.name)
            )
            for mapping in self.project.resolved
        }
        return dict(self._pair_messages()) | {new: old for new, old in names.items() if new != old.lower()}

    def _pair_messages(self) -> Iterator[tuple[str, str]]:
        """Pair the only obsolete message of an object with the only new one, since its mapping was renamed."""
        old, new = set(self.applied.components), set(self.addresses)
        removed_addresses, added_addresses = _messages_by_object(old - new), _messages_by_object(new - old)
        for owner, messages in added_addresses.items():
            if len(messages) == len(removed_addresses.get(owner, ())) == 1:
                yield _last(messages[0]).lower(), _last(removed_addresses[owner][0])


def _list_referrers(snapshot: OrgSnapshot) -> Iterator[Component]:
    """List the components whose reference to a field or an object prevents its rename in place."""
    versions = (version.flow for flow_versions in snapshot.flow_versions.values() for version in flow_versions)
    return (component for component in (*snapshot.components.values(), *versions) if component.type not in QUALIFIED)


def _is_renamed(
    former: Address, present: Address, snapshot: OrgSnapshot, owners: Renames, referrers: References
) -> bool:
    """
    Return whether an org renames an address in place, after the objects in `owners` are renamed.

    Formula fields, which have no values, are not renamed, and neither are fields and objects that a component refers to.
    """
    if former.type not in RENAMED_TYPES or _owner(owners.rename_address(former)) != _owner(present):
        return False
    former_component = snapshot.components.get(former)
    if former.type not in {"CustomField", "CustomObject"} or former_component is None:
        return True
    return not (_has_formula(former_component.body) or referrers.find(former))


def _has_formula(body: Body) -> bool:
    formula: Value = body.get("formula")
    return formula is not None


def _messages_by_object(addresses: Iterable[Address]) -> dict[str, list[Address]]:
    messages: dict[str, list[Address]] = {}
    for address in addresses:
        if address.type == "WorkflowOutboundMessage":
            messages.setdefault(_owner(address), []).append(address)
    return messages


def _owner(address: Address) -> str:
    return address.full_name.rpartition(".")[0].lower() if address.type != "User" else ""


def _last(address: Address) -> str:
    return address.full_name.rpartition(".")[2]
