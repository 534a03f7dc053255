"""A plan: all changes of one project in one org, ordered, checked and bound to that org."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.errors import Refused
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action, Change
from sfcode.plan.data_flows import FlowOfData
from sfcode.plan.foreign import Preserved, describe_preserved
from sfcode.plan.modes import Mode
from sfcode.plan.provenance import Provenance
from sfcode.plan.relay_change import RelayChange
from sfcode.plan.snapshot import Move, Target


@dataclass(frozen=True)
class Refusal:
    """A reason why a plan cannot be applied unless the user allows it."""

    address: Address | None
    """The address; None for the plan as a whole."""
    reason: str
    hint: str

    def __str__(self) -> str:
        reason = f"{self.address} {self.reason}" if self.address else self.reason
        return f"{reason}; {self.hint}"


@dataclass(frozen=True)
class Validation:
    """A validation of a plan's package that ran Apex tests; the org keeps the package for ten days."""

    id: str
    """The ID of the validation, a deployment that only checks."""
    package: str
    """The digest of the checked package, with secrets as placeholders."""
    test_level: str | None
    tests: tuple[str, ...]
    apply_id: str
    by: str
    at: str
    revision: str | None
    """The mark of the apply in that package's state, which cannot be changed without another check."""


@dataclass(frozen=True)
class ObsoleteVersions:
    """Old versions of a flow that must be deleted first, since they refer to components that a plan deletes."""

    flow: Address
    numbers: tuple[int, ...]
    names: tuple[Address, ...]
    """The components that the versions refer to."""

    def __str__(self) -> str:
        versions = "versions" if len(self.numbers) > 1 else "version"
        verb = "name" if len(self.numbers) > 1 else "names"
        numbers, names = ", ".join(map(str, self.numbers)), ", ".join(map(str, self.names))
        end = "are deleted too" if len(self.numbers) > 1 else "is deleted too"
        return f"{versions} {numbers} of {self.flow} still {verb} {names} and {end}"


@dataclass(frozen=True)
class Plan:
    """
    The changes that apply will make, in this org, from this config.

    `changes` contains every address of the plan, also those without a change, so that an apply can detect
    whether the org has changed since.
    """

    target: Target
    environment: str
    config_digest: str
    api_version: str
    state: Address
    changes: tuple[Change, ...]
    fingerprints: Mapping[str, str]
    """Fingerprints of everything observed, by address."""
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed fingerprints of the secrets this plan was made with, by name."""
    records_state: bool = False
    """Whether the state in the org must be written even without other changes, as after an adoption."""
    mode: Mode = Mode.APPLY
    """The mode of the plan. A rollback is never saved."""
    kept: tuple[Component, ...] = ()
    """Managed components that are not part of this plan, and remain managed."""
    released: frozenset[Address] = frozenset()
    """Addresses that are no longer managed after this plan, and are not deleted."""
    preserved: tuple[Preserved, ...] = ()
    """Unmanaged components in the files that this plan writes; they are not changed."""
    left_state: Address | None = None
    """The state under the former identity of the project, which is deleted."""
    project: str = ""
    """The name of the project, which the state records."""
    moves: tuple[Move, ...] = ()
    """Addresses that were renamed since the last apply."""
    obsolete: tuple[ObsoleteVersions, ...] = ()
    """Old versions of flows that must be deleted before components that they refer to."""
    validation: Validation | None = None
    """The validation of the package with tests, if there is one."""
    flows: tuple[FlowOfData, ...] = ()
    """The data flows of the config, for information only."""
    previous_flows: tuple[FlowOfData, ...] | None = None
    """The data flows at the last apply, for information only; None if they are not known."""
    relay: RelayChange | None = None
    """The change of the relay's config, which an apply records; None if this plan does not concern the relay."""
    provenance: Provenance | None = None
    """When and from which source the plan was made; None if not requested."""

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes with an action, in display order."""
        return tuple(change for change in self.changes if change.action is not Action.NO_OP)

    @property
    def drifted(self) -> tuple[Change, ...]:
        """The changes of addresses that were changed in the org since the last apply."""
        return tuple(change for change in self.changes if change.drift)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the reader of the plan."""
        state = [f"the state is moved: {self.state} replaces {self.left_state}"] if self.left_state else []
        selected = [
            f"{flow.selected[0]:,} of {flow.selected[1]:,} {flow.object} records with a user ID match `where` of mapping {flow.mapping}"
            for flow in self.flows
            if flow.selected
        ]
        return (*state, *describe_preserved(self.preserved), *map(str, self.obsolete), *selected)

    @property
    def is_empty(self) -> bool:
        """Whether apply would do nothing."""
        return not (self.drifted if self.mode is Mode.REFRESH else self.effective or self.records_state)

    def count(self, action: Action) -> int:
        """Count the changes of one kind."""
        return sum(change.action is action for change in self.changes)

    def warn(self, *warnings: str) -> Plan:
        """Return the plan with additional warnings."""
        return replace(self, warnings=(*self.warnings, *warnings)) if warnings else self

    def refuse(self, *refusals: Refusal) -> Plan:
        """Return the plan with additional refusals."""
        return replace(self, refusals=(*self.refusals, *refusals)) if refusals else self

    def raise_if_refused(self) -> None:
        """Raise Refused if the plan has refusals."""
        if self.refusals:
            lines = "\n".join(f"  - {refusal}" for refusal in self.refusals)
            raise Refused(f"This plan is refused:\n{lines}")

    def list_desired(self) -> tuple[Component, ...]:
        """Return the managed metadata after an apply."""
        metadata = [change for change in self.changes if not change.address.is_record]
        components = [change.after for change in metadata if change.after and change.address not in self.released]
        return (*components, *self.kept)
