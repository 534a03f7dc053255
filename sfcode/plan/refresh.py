"""Drift alone: what was changed in an org since the last apply, whatever the config asks for now."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.config.project import Project
from sfcode.generate.records import records
from sfcode.org import Org
from sfcode.plan.change import Change
from sfcode.plan.compare import applied_components
from sfcode.plan.modes import Mode
from sfcode.plan.observe import observe
from sfcode.plan.plan import Plan
from sfcode.plan.sandbox_names import named_here
from sfcode.plan.secrets import fingerprint
from sfcode.plan.state import state_address


def refresh(project: Project, org: Org, secrets: Mapping[str, str]) -> Plan:
    """
    Compare what the last apply left with what is there now. Changes nothing in the org.

    Records are not in the applied state. They are looked at while the config is the one that was
    applied: only then is it known what they were.
    """
    project = named_here(project, org)
    rows, _ = records(project)
    wanted = {row.address: row.body for row in rows}
    user = project.settings.integration_user.username
    observed = observe(org, project.settings.name, wanted, secrets, user=user)
    now = {name: fingerprint(value, observed.target.org_id) for name, value in sorted(secrets.items())}
    left = applied_components(observed.applied, now, observed.target.org_id)
    if observed.applied.config_digest == project.digest:
        left.update({row.address: row for row in rows})
    changes = []
    for component in left.values():
        found = observed.components.get(component.address)
        changes.append(Change(component.address, found, found, component))
    return Plan(
        target=observed.target,
        environment=project.environment,
        config_digest=project.digest,
        api_version=project.settings.salesforce.api_version,
        state=state_address(project.settings.name),
        changes=tuple(sorted(changes, key=lambda change: change.sort_key)),
        fingerprints=observed.fingerprints(),
        warnings=observed.warnings,
        secrets=now,
        mode=Mode.REFRESH,
    )
