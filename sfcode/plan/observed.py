"""What an org has now at the addresses that concern a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sfcode.metadata.component import Address, Component
from sfcode.plan.state import Applied


@dataclass(frozen=True)
class Target:
    """Which org a plan is for."""

    org_id: str
    name: str
    instance_url: str
    username: str


@dataclass(frozen=True)
class Observed:
    """Components and records by address, secrets masked; what is not there is absent."""

    target: Target
    components: Mapping[Address, Component] = field(default_factory=dict)
    applied: Applied = field(default_factory=Applied)
    state: Component | None = None
    """The static resource that `applied` was read from."""
    values: Mapping[Address, int | None] = field(default_factory=dict)
    """Fields that may have to go: how many records hold a value in them; None where we may not look."""
    warnings: tuple[str, ...] = ()
    others: frozenset[Address] = frozenset()
    """What others have in the files that our components live in."""

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of everything observed, by address."""
        seen = [*self.components.values(), *([self.state] if self.state else [])]
        return {str(component.address): component.fingerprint for component in sorted(seen)}
