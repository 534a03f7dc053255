"""Validate all steps of a plan in the org before the first one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sfcode.apply.deploy import Progress, deploy
from sfcode.apply.deploy_errors import ignore_version_failures
from sfcode.apply.flows import list_versions
from sfcode.apply.package import trial_package
from sfcode.apply.redact import redact
from sfcode.apply.steps import Trial
from sfcode.org import Org
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.plan import Plan


def run_trial(
    plan: Plan,
    step: Trial,
    org: Org,
    secrets: Mapping[str, str],
    *,
    options: DeployOptions,
    report: Progress,
    patience: float = 0.0,
) -> DeployResult:
    """Validate the package of a trial, ignoring failures whose only cause are flow versions that the apply deletes."""
    versions = {flow: list_versions(org, flow) for flow in step.flows}
    for old in step.obsolete:
        versions_in_org = list_versions(org, old.flow)
        versions[old.flow] = {number: versions_in_org[number] for number in old.numbers if number in versions_in_org}
    zipped = trial_package(plan, step, secrets, {flow: ids.keys() for flow, ids in versions.items()})
    checked = deploy(org, zipped, replace(options, check_only=True), "the remaining steps", report, patience=patience)
    ids = {version_id for ids_by_number in versions.values() for version_id in ids_by_number.values()}
    return ignore_version_failures(redact(checked, secrets), ids)
