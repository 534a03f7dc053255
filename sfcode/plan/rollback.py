"""Put back what an apply replaced, from the history that the applied state keeps."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.metadata.component import Address, Body, Component, Value
from sfcode.plan.change import Change
from sfcode.plan.compare import applied_components, doing, holding_data, left_components, unassigned
from sfcode.plan.foreign import preserved
from sfcode.plan.modes import Mode
from sfcode.plan.observed import Observed
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.secrets import HIDDEN, fingerprint
from sfcode.plan.state import Applied, Past, state_address

_PREVIOUS = re.compile(r"\(previous (\$\{secret:\w+\})\)")


def find(applied: Applied, apply_id: str | None) -> Past:
    """Find an apply in the history, the last one without an id. Raises Refused naming those that there are."""
    if not applied.history:
        raise Refused("There is no apply in this org that could be rolled back.")
    known = {past.id: past for past in applied.history}
    if apply_id is None:
        return applied.history[0]
    if apply_id not in known:
        raise Refused(f"There is no apply {apply_id} in the history of this org.", f"It has: {', '.join(known)}.")
    return known[apply_id]


def rollback(
    project: Project, observed: Observed, past: Past, *, secrets: Mapping[str, str], allow_delete: Collection[Address]
) -> Plan:
    """
    Plan to put back what was at the addresses that an apply changed.

    What was not ours before is left to its owner again. Records are left as they are, but for the
    assignments of a permission set that goes. Secrets come
    back with the value that they have now.
    """
    now = {name: fingerprint(value, observed.target.org_id) for name, value in sorted(secrets.items())}
    applied = applied_components(observed.applied, now, observed.target.org_id)
    changes = []
    for address, body in past.before.items():
        found = observed.components.get(address)
        after = None if body is None else Component(address.type, address.full_name, _current(body))
        if found or after:
            changes.append(Change(address, found, after, applied.get(address)))
    changes += unassigned(changes, observed)
    return Plan(
        target=observed.target,
        environment=project.environment,
        config_digest="",
        api_version=project.settings.salesforce.api_version,
        state=state_address(project.settings.name),
        changes=tuple(sorted(changes, key=lambda change: change.sort_key)),
        fingerprints=observed.fingerprints(),
        refusals=(*_unknown(changes), *holding_data(changes, observed, allow_delete)),
        secrets=now,
        mode=Mode.ROLLBACK,
        kept=tuple(
            component
            for component in left_components(observed.applied)
            if component.address not in past.before and component.address in observed.components
        ),
        preserved=preserved(doing(changes), observed.others),
        released=frozenset(address for address in past.before if address not in past.owned),
    )


def _current(body: Body) -> dict[str, Value]:
    """Name secrets by their plain placeholder: the value before is not known any more."""

    def current(value: Value) -> Value:
        if isinstance(value, str):
            return _PREVIOUS.sub(r"\1", value)
        if isinstance(value, Mapping):
            return {key: current(part) for key, part in value.items()}
        return [current(part) for part in value] if isinstance(value, list | tuple) else value

    return {key: current(part) for key, part in body.items()}


def _unknown(changes: list[Change]) -> Iterator[Refusal]:
    for change in changes:
        if change.after and HIDDEN.search(change.after.canonical):
            yield Refusal(
                change.address,
                "held a secret that sfcode has never known, so it cannot be put back",
                "deploy it with the tool that it came from",
            )
