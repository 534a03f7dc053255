"""The state after an apply: the managed components, and what the apply replaced. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.metadata.component import Address, Body, Component
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan
from sfcode.plan.renames import Renames, order_renames
from sfcode.plan.secrets import names_in
from sfcode.plan.state import Applied, Past


@dataclass(frozen=True)
class Mark:
    """The author of an apply, the time, and the commit."""

    by: str
    at: str
    """The time of the apply: UTC, ISO 8601."""
    revision: str | None = None
    id: str = ""
    """The ID with which this apply can be rolled back."""
    applied: Applied = field(default_factory=Applied)
    """The applied state before the apply, with its history."""
    printed_steps: tuple[str, ...] = ()
    """Digests of the manual steps that follow from the config. The state lists them as printed after this apply."""


def state_after(plan: Plan, owned: Collection[Component], mark: Mark) -> Applied:
    """Return the state after an apply, with the components that are managed then."""
    return Applied(
        components={component.address: component.body for component in owned},
        project=plan.project or mark.applied.project,
        revision=mark.revision,
        applied_by=mark.by,
        applied_at=mark.at,
        org_id=plan.target.org_id,
        config_digest=None if plan.kept else plan.config_digest,  # with --target the config is not applied as a whole
        history=(_past(plan, mark), *mark.applied.history),
        secrets={name: plan.secrets[name] for name in sorted(_names(owned)) if name in plan.secrets},
        records=_records_after(plan, mark.applied),
        printed_steps=mark.printed_steps if plan.mode is Mode.APPLY else mark.applied.printed_steps,
        relay=plan.relay.after if plan.relay else mark.applied.relay,
    )


def intended_state(plan: Plan, applied: Applied) -> Applied:
    """
    Return the state with the planned records and renames of an apply, before it begins.

    So an interrupted apply loses none of them. Renamed addresses are listed with their former names.
    """
    intended = replace(
        applied,
        project=plan.project or applied.project,
        org_id=plan.target.org_id,
        records=_records_after(plan, applied),
    )
    renaming = tuple((move.former, move.present) for move in order_renames(plan.moves))
    return replace(Renames(plan.moves).invert().rename_state(intended), renaming=renaming)


def _records_after(plan: Plan, applied: Applied) -> dict[Address, Body]:
    """Return the managed records after an apply, including those deleted after the deployment, which the next plan removes."""
    bodies = {
        change.address: change.after.body
        for change in plan.changes
        if change.address.is_record and change.after and not change.address.is_business_record
    }
    return {**applied.records, **bodies}


def _past(plan: Plan, mark: Mark) -> Past:
    changes, former = plan.effective, Renames(plan.moves).invert()
    managed = {*mark.applied.components, *mark.applied.records}

    def rename(address: Address, body: Body | None) -> Body | None:
        return None if body is None else former.rename_body(address, body)

    return Past(
        id=mark.id,
        applied_at=mark.at,
        applied_by=mark.by,
        revision=mark.revision,
        before={
            former.rename_address(change.address): rename(change.address, _body_before(change, mark.applied))
            for change in changes
        },
        drifted=frozenset(former.rename_address(change.address) for change in changes if change.drift),
        owned=frozenset(former.rename_address(change.address) for change in changes if change.address in managed),
        moves={move.present: move.former for move in plan.moves if move.in_place},
        project=mark.applied.project,
    )


def _body_before(change: Change, applied: Applied) -> Body | None:
    """Return the body that a rollback restores; for a component with drift, the body after the previous apply."""
    if change.drift:
        return applied.components.get(change.address)
    return change.before.body if change.before else None


def _names(components: Iterable[Component]) -> frozenset[str]:
    return frozenset().union(*(names_in(dict(component.body)) for component in components))
