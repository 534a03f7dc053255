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
    """The flow as this version has it."""


@dataclass(frozen=True, slots=True)
class MissingPart:
    """What a record needs and the org, or a user, does not have."""

    kind: str
    """profile, permission set, permission set license, user, feature license, campaign or unique campaign."""
    name: str
    owner: str = "this org"
    """What lacks it: the org, a user or a campaign."""


@dataclass(frozen=True, slots=True)
class SignIns:
    """The successful sign-ins of one user."""

    last: str
    """When the last one was: UTC, ISO 8601."""
    days: int = 0
    """For how many days before the plan they were read."""
    applications: Mapping[str, int] = field(default_factory=dict)
    """How often each application signed in during these days; empty where the signed-in user may not read it."""


@dataclass(frozen=True, order=True)
class Move:
    """A managed address that has another name than at the last apply."""

    former: Address
    present: Address
    in_place: bool = True
    """Whether the org renames it; otherwise it is created under the new name and deleted under the former."""
    done: bool = False
    """Whether it was renamed already, by an apply that was cut off before it could write the state."""


@dataclass(frozen=True)
class OtherState:
    """The state of another project in the same org that seems to be this one under a former name."""

    project: str
    """The name of the project."""
    identity: str
    """Its `id`, or its name where it has none."""
    shared: tuple[Address, ...]
    """What both have: components, and the integration user last."""


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
    """Fields that may have to go: how many records hold a value in them; None where we may not look."""
    warnings: tuple[str, ...] = ()
    """What the signed-in user could not see."""
    unmanaged: frozenset[Address] = frozenset()
    """Unmanaged components in files that contain managed ones."""
    assignees: tuple[Address, ...] = ()
    """The users that have the permission set of the integration."""
    other_rights: Mapping[Address, OtherRights] = field(default_factory=dict)
    """What an integration user may do beside the project's permission sets, by user."""
    other_uses: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    """Unmanaged addresses that refer to an integration user, by user."""
    sign_ins: Mapping[Address, SignIns] = field(default_factory=dict)
    """Who signs in as users that may be deactivated, by user."""
    messages: tuple[str, ...] = ()
    """Full names of all outbound messages, where the relay takes the place of Appcues' connector."""

    missing_parts: Mapping[Address, tuple[MissingPart, ...]] = field(default_factory=dict)
    """What records refer to and the org does not have, by the record's address."""
    selected: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By mapping with `where`: how many records fit it, and how many have a user id, as far as the user signed in sees."""

    flow_counts: Mapping[Address, int] = field(default_factory=dict)
    """How many versions the flows have that are to be changed."""
    flow_versions: Mapping[Address, tuple[FlowVersion, ...]] = field(default_factory=dict)
    """All versions of managed flows, where something may be deleted that an old version still names."""

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of everything observed, by address."""
        components = [*self.components.values(), *([self.state] if self.state else [])]
        return {str(component.address): component.fingerprint for component in sorted(components)}


@dataclass(frozen=True)
class PlanInput:
    """The complete input of a plan; nothing else is read."""

    project: Project
    """With the integration user named as the org names it."""
    desired: Desired
    """What the project asks of this org."""
    snapshot: OrgSnapshot
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed fingerprints of the project's secrets, by name."""
    request: PlanRequest = WHOLE_PLAN
    generated: Desired = field(default_factory=lambda: Desired((), (), ()))
    """What the mappings ask for, whatever the org has."""

    @cached_property
    def applied(self) -> dict[Address, Component]:
        """The applied components; secrets with another value now are marked as previous."""
        state = self.snapshot.applied
        replaced = {
            name for name, fingerprint in state.secrets.items() if self.secrets.get(name, fingerprint) != fingerprint
        }
        if state.org_id not in {None, self.snapshot.target.org_id}:
            replaced = set()  # fingerprints of two orgs cannot be compared
        components = (rename_secrets(component, self._renamed_secrets) for component in state.listed())
        return {component.address: mark_previous(component, replaced) for component in components}

    @cached_property
    def _renamed_secrets(self) -> dict[str, str]:
        """Secrets that have another name now and the same value, by their old name."""
        names = {value: name for name, value in self.secrets.items()}
        old = self.snapshot.applied.secrets
        return {name: names[value] for name, value in old.items() if name not in self.secrets and value in names}

    @cached_property
    def wanted(self) -> dict[Address, Component]:
        """The desired components and records, by address."""
        return {component.address: component for component in (*self.desired.components, *self.desired.records)}

    @cached_property
    def released(self) -> frozenset[Address]:
        """Managed addresses that are no longer desired, and that something desired still names."""
        if self.request.mode is not Mode.APPLY:
            return frozenset()
        references = References(self.wanted.values())
        return frozenset(
            address
            for address in self.applied
            if address not in self.wanted and address in self.snapshot.components and references.find(address)
        )

    @cached_property
    def claimed(self) -> frozenset[Address]:
        """Desired addresses that are not managed although their description says that sfcode manages them."""
        claims = {address for state in self.snapshot.other_states for address in state.shared}
        components = [
            self.snapshot.components[address] for address in self.wanted if address in self.snapshot.components
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
