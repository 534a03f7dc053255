"""The observed state of an org, and the complete input of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.desired import Desired
from sfcode.mapping.permissions import OtherRights
from sfcode.metadata.component import Address, Component
from sfcode.plan.modes import WHOLE_PLAN, Mode, PlanRequest
from sfcode.plan.references import References, claimed_components
from sfcode.plan.secrets import mark_previous, rename_secrets
from sfcode.plan.state import Applied


@dataclass(frozen=True)
class Target:
    """The org of a plan."""

    org_id: str
    name: str
    instance_url: str
    username: str


@dataclass(frozen=True)
class FlowVersion:
    """One version of a flow."""

    number: int
    active: bool
    flow: Component
    """The metadata of the flow in this version."""


@dataclass(frozen=True, slots=True)
class MissingPart:
    """Something that a record refers to and that the org does not have."""

    kind: str
    """The kind: profile, permission set, permission set license, user, feature license, campaign or unique campaign."""
    name: str
    owner: str = "this org"
    """Who lacks the part: the org, a user or a campaign."""


@dataclass(frozen=True, slots=True)
class SignIns:
    """The successful sign-ins of one user."""

    last: str
    """The time of the last sign-in: UTC, ISO 8601."""
    days: int = 0
    """The number of days before the plan for which sign-ins were read."""
    applications: Mapping[str, int] = field(default_factory=dict)
    """The number of sign-ins of each application in these days; empty if the signed-in user may not read them."""


@dataclass(frozen=True, order=True)
class Move:
    """A managed address that was renamed since the last apply."""

    former: Address
    present: Address
    in_place: bool = True
    """Whether the org renames it in place; otherwise it is created with the new name and deleted with the former."""
    done: bool = False
    """Whether an interrupted apply has already renamed it, before it wrote the state."""


@dataclass(frozen=True)
class OtherState:
    """The state of another project in the same org, which may be this project under a former name."""

    project: str
    """The name of the project."""
    identity: str
    """The identity of the project: its `id`, else its name."""
    shared: tuple[Address, ...]
    """Addresses that both projects have: components, and the integration user last."""


@dataclass(frozen=True)
class OrgSnapshot:
    """Components and records of an org by address, with secrets masked; missing ones are absent."""

    target: Target
    components: Mapping[Address, Component] = field(default_factory=dict)
    applied: Applied = field(default_factory=Applied)
    state: Component | None = None
    """The static resource that `applied` was read from."""
    left_state: Address | None = None
    """The state under the former name of the project, which the next apply deletes."""
    other_states: tuple[OtherState, ...] = ()
    """States of other projects; read only if the project has no state, or if an unmanaged component claims to be managed."""
    moves: tuple[Move, ...] = ()
    """Addresses that were renamed since the last apply. Components and state have the new names."""
    values: Mapping[Address, int | None] = field(default_factory=dict)
    """The number of records with a value, by field that may be deleted; None if the signed-in user cannot read the field."""
    warnings: tuple[str, ...] = ()
    """Warnings about objects and fields that the signed-in user cannot read."""
    unmanaged: frozenset[Address] = frozenset()
    """Unmanaged components in files that contain managed ones."""
    assignees: tuple[Address, ...] = ()
    """The users with the permission set of the integration."""
    other_rights: Mapping[Address, OtherRights] = field(default_factory=dict)
    """Rights of integration users that are not from the project's permission sets, by user."""
    other_uses: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    """Unmanaged addresses that refer to an integration user, by user."""
    sign_ins: Mapping[Address, SignIns] = field(default_factory=dict)
    """The sign-ins of users that may be deactivated, by user."""
    messages: tuple[str, ...] = ()
    """Full names of all outbound messages, if the relay replaces Appcues' connector."""

    missing_parts: Mapping[Address, tuple[MissingPart, ...]] = field(default_factory=dict)
    """Missing references of records, by the record's address."""
    selected: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The numbers of records that match `where`, and of those with a user ID, by mapping with `where`."""

    flow_counts: Mapping[Address, int] = field(default_factory=dict)
    """The numbers of versions of flows that will change."""
    flow_versions: Mapping[Address, tuple[FlowVersion, ...]] = field(default_factory=dict)
    """All versions of managed flows, if a component may be deleted that an old version refers to."""

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of everything observed, by address."""
        components = [*self.components.values(), *([self.state] if self.state else [])]
        return {str(component.address): component.fingerprint for component in sorted(components)}


@dataclass(frozen=True)
class PlanInput:
    """The complete input of a plan."""

    project: Project
    """The project, with the integration user's name in the org."""
    desired: Desired
    """The desired components and records."""
    snapshot: OrgSnapshot
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed fingerprints of the project's secrets, by name."""
    request: PlanRequest = WHOLE_PLAN
    generated: Desired = field(default_factory=lambda: Desired((), (), ()))
    """The components of the mappings before they are adapted to the org."""

    @cached_property
    def applied(self) -> dict[Address, Component]:
        """The applied components, with changed secrets marked as previous."""
        state = self.snapshot.applied
        replaced = {
            name for name, fingerprint in state.secrets.items() if self.secrets.get(name, fingerprint) != fingerprint
        }
        if state.org_id not in {None, self.snapshot.target.org_id}:
            replaced = set()  # fingerprints of two orgs cannot be compared
        components = (rename_secrets(component, self._renamed_secrets) for component in state.list_components())
        return {component.address: mark_previous(component, replaced) for component in components}

    @cached_property
    def _renamed_secrets(self) -> dict[str, str]:
        """The new names of secrets that were renamed with the same value, by old name."""
        names = {value: name for name, value in self.secrets.items()}
        old = self.snapshot.applied.secrets
        return {name: names[value] for name, value in old.items() if name not in self.secrets and value in names}

    @cached_property
    def released(self) -> frozenset[Address]:
        """Managed addresses that are no longer desired, but that a desired component refers to."""
        if self.request.mode is not Mode.APPLY:
            return frozenset()
        references = References(self.desired.by_address.values())
        return frozenset(
            address
            for address in self.applied
            if address not in self.desired.by_address
            and address in self.snapshot.components
            and references.find(address)
        )

    @cached_property
    def claimed(self) -> frozenset[Address]:
        """Desired addresses that are not managed, although their description marks them as managed."""
        claims = {address for state in self.snapshot.other_states for address in state.shared}
        components = [
            self.snapshot.components[address]
            for address in self.desired.by_address
            if address in self.snapshot.components
        ]
        unmanaged = (
            component
            for component in components
            if component.address not in self.applied and component.address not in claims
        )
        return frozenset(claimed_components(unmanaged))

    @property
    def adopted(self) -> frozenset[Address]:
        """The addresses that options or the config adopt."""
        claimed = self.claimed if self.request.adopt_managed else ()
        return frozenset({*self.request.adopt, *self.project.adopted, *claimed})
