"""
The applied state: the components of the last apply, stored in the org.

It is a static resource that is deployed in the same transaction as the components, so that it always matches them.
It contains canonical bodies with placeholders for secrets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.metadata.component import Address, Body, Component

V = TypeVar("V")

STATE_SUFFIX = "_sfcode_state"
"""The suffix of the names of states, after the identity of the project."""

HISTORY = 5
"""The number of applies that can be rolled back."""


@dataclass(frozen=True)
class Past:
    """One apply, and the bodies that it replaced; None for a component that did not exist."""

    id: str
    applied_at: str
    applied_by: str
    revision: str | None
    before: Mapping[Address, Body | None]
    owned: frozenset[Address]
    """Addresses that were managed before the apply."""
    drifted: frozenset[Address] = frozenset()
    """Addresses with drift; `before` has their bodies after the previous apply."""
    moves: Mapping[Address, Address] = field(default_factory=dict)
    """Former addresses of renames in place, by present address."""
    project: str | None = None
    """The name of the project before the apply."""


@dataclass(frozen=True)
class Applied:
    """The bodies of the last apply by address, and its author."""

    components: Mapping[Address, Body] = field(default_factory=dict)
    project: str | None = None
    """The name of the project; None in a state of an older version."""
    revision: str | None = None
    """The git commit of the config, if there was one."""
    applied_by: str | None = None
    applied_at: str | None = None
    """The time of the last apply: UTC, ISO 8601."""
    config_digest: str | None = None
    """The digest of the applied config."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed fingerprints of the deployed secrets, by name."""
    history: tuple[Past, ...] = ()
    """The last applies, newest first."""
    org_id: str | None = None
    """The ID of the org to which it was applied; in a new sandbox, the ID of the copied org."""
    records: Mapping[Address, Body] = field(default_factory=dict)
    """Managed records: created or adopted by applies, or planned by an apply that may be interrupted."""
    renaming: tuple[tuple[Address, Address], ...] = ()
    """Planned renames of an apply, in order: the former address, which this state lists, and the present one."""
    printed_steps: tuple[str, ...] = ()
    """Digests of the manual steps that applies have printed."""
    relay: Body | None = None
    """The config of the relay at the apply; None if no mapping used the relay."""

    def created_at(self, address: Address) -> str | None:
        """Return when an apply last created an address: UTC, ISO 8601; None if the history does not contain it."""
        times = (past.applied_at for past in self.history if address in past.before and past.before[address] is None)
        time = next(times, None)
        return time if time and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) else None

    def share_bodies(self, expected: Mapping[Address, Body]) -> Applied:
        """Return the state with the objects of equal desired bodies, to save the memory of a second copy."""
        bodies = {
            address: expected_body if (expected_body := expected.get(address)) == body else body
            for address, body in self.components.items()
        }
        return replace(self, components=bodies)

    def addresses(self) -> set[Address]:
        """Return the addresses of all managed components and records."""
        return {*self.components, *self.records}

    def manages(self, address: Address) -> bool:
        """Return whether an address is managed. Only managed components and records are changed or removed."""
        return address in self.components or address in self.records

    def managed_users(self) -> set[Address]:
        """Return the managed users: the integration user, and the previous one until it is deactivated."""
        return {address for address in self.records if address.type == "User"}

    def forget(self, addresses: Collection[Address]) -> Applied:
        """Return the state without some addresses, also in the history, so that a rollback does not change them either."""

        def keep(bodies: Mapping[Address, V]) -> dict[Address, V]:
            return {address: body for address, body in bodies.items() if address not in addresses}

        history = tuple(
            replace(
                past,
                before=keep(past.before),
                moves=keep(past.moves),
                owned=past.owned.difference(addresses),
                drifted=past.drifted.difference(addresses),
            )
            for past in self.history
        )
        return replace(self, components=keep(self.components), records=keep(self.records), history=history)

    def list_components(self) -> tuple[Component, ...]:
        """Return the managed components, sorted by address."""
        return tuple(
            Component(address.type, address.full_name, body) for address, body in sorted(self.components.items())
        )


def state_address(identity: str) -> Address:
    """Return the address of the state of a project, by its identity."""
    return Address("StaticResource", f"{identity}{STATE_SUFFIX}")


def state_identity(address: Address) -> str:
    """Return the identity of the project whose state is at an address."""
    return address.full_name.removesuffix(STATE_SUFFIX)
