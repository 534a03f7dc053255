"""Take the integration down: what is ours goes, the user is deactivated, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sfcode.config.project import Project
from sfcode.generate.records import records
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.compare import applied_components, doing, holding_data, unassigned
from sfcode.plan.foreign import preserved
from sfcode.plan.modes import Mode
from sfcode.plan.observed import Observed
from sfcode.plan.plan import Plan
from sfcode.plan.secrets import fingerprint
from sfcode.plan.state import state_address


def destroy(
    project: Project, observed: Observed, *, secrets: Mapping[str, str], allow_delete: Collection[Address] = ()
) -> Plan:
    """
    Plan to delete what the applied state says is ours.

    Permission sets are taken away from everybody first; the integration user is deactivated, since an org
    deletes none.
    """
    now = {name: fingerprint(value, observed.target.org_id) for name, value in sorted(secrets.items())}
    changes = [
        Change(address, observed.components[address], None, component)
        for address, component in applied_components(observed.applied, now, observed.target.org_id).items()
        if address in observed.components
    ]
    for row in records(project)[0]:
        found = observed.components.get(row.address)
        if found is not None:
            changes.append(Change(row.address, found, _deactivated(found) if row.type == "User" else None))
    changes += unassigned(changes, observed)
    return Plan(
        target=observed.target,
        environment=project.environment,
        config_digest=project.digest,
        api_version=project.settings.salesforce.api_version,
        state=state_address(project.settings.name),
        changes=tuple(sorted(changes, key=lambda change: change.sort_key)),
        fingerprints=observed.fingerprints(),
        refusals=tuple(holding_data(changes, observed, allow_delete)),
        warnings=(*project.warnings, *observed.warnings),
        secrets=now,
        records_state=observed.state is not None,
        mode=Mode.DESTROY,
        preserved=preserved(doing(changes), observed.others),
    )


def _deactivated(user: Component) -> Component:
    return Component(user.type, user.full_name, {**user.body, "IsActive": False})
