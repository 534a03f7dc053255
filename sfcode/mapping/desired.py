"""The desired components and records of a project, and their YAML lines."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address, Component


@dataclass(frozen=True, slots=True)
class Origin:
    """The YAML position behind a component, or behind one name in it."""

    address: Address
    token: str
    """A Salesforce name that an org's message may mention (`Contact.Plan__c`, `Plan__c`); "" for the component itself."""
    position: Position
    path: str
    """The path in the document: `to_appcues.attributes.plan`."""


@dataclass(frozen=True)
class Desired:
    """All components and records of a project, each list sorted by address."""

    components: tuple[Component, ...]
    records: tuple[Component, ...]
    origins: tuple[Origin, ...]
    """Origins sorted by address; within an address the most specific name first, and the component itself last."""
    warnings: tuple[str, ...] = ()
    """Warnings about settings that are valid but may be unintended: place, message and hint in one text."""
    advice: tuple[Diagnostic, ...] = ()
    """Notes, with their places."""

    @cached_property
    def by_address(self) -> dict[Address, Component]:
        """The components and records by their addresses."""
        return {component.address: component for component in (*self.components, *self.records)}

    def share(self, observed: Component) -> Component:
        """Return the desired component if the observed one is equal, to keep only one of both in memory; else the observed one."""
        component = self.by_address.get(observed.address)
        return component if component == observed and component.full_name == observed.full_name else observed

    def find_origin(self, address: Address, token: str = "") -> Origin | None:
        """Return the YAML line behind a name in a component, or behind the component itself."""
        return self._origins.get((address, token))

    def find_origins(self, address: Address) -> tuple[Origin, ...]:
        """Return all YAML lines behind a component, in the order of `origins`."""
        return self._origins_by_address.get(address, ())

    @cached_property
    def _origins_by_address(self) -> dict[Address, tuple[Origin, ...]]:
        by_address: defaultdict[Address, list[Origin]] = defaultdict(list)
        for origin in self.origins:
            by_address[origin.address].append(origin)
        return {address: tuple(origins) for address, origins in by_address.items()}

    @cached_property
    def _origins(self) -> dict[tuple[Address, str], Origin]:
        return {(origin.address, origin.token): origin for origin in reversed(self.origins)}
