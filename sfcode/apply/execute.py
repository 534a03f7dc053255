"""Execute a plan in ordered, repeatable steps, so that the next apply completes an interrupted one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sfcode.apply.deploy import Progress, Record, deploy, follow_quick, ignore
from sfcode.apply.deploy_errors import failure
from sfcode.apply.flows import activate_flow, prune_flow, remove_flow
from sfcode.apply.lock import Lock
from sfcode.apply.package import Mark, deletion, package
from sfcode.apply.quick_deploy import QuickDeploy, inherit_tests, quick_deploy
from sfcode.apply.records import write_record
from sfcode.apply.redact import redact
from sfcode.apply.steps import Deploy, RemoveFlow, SettleFlow, TryDelete, WriteRecord, steps
from sfcode.mapping.desired import Origin
from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.plan.change import Action
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True)
class ApplyResult:
    """The result of an apply."""

    plan: Plan
    deployments: tuple[str, ...] = ()
    """Ids of the deployments, in their order."""
    apply_id: str = ""
    """By which it can be rolled back; empty when nothing can be."""


def execute(
    plan: Plan,
    org: Org,
    secrets: Mapping[str, str],
    *,
    origins: Iterable[Origin],
    mark: Mark,
    options: DeployOptions,
    report: Progress,
    lock: Lock,
    record: Record = ignore,
    patience: float = 0.0,
) -> ApplyResult:
    """
    Execute the steps of a plan.

    Raises Refused before anything happens when the plan is refused, DeployFailed when
    the org refuses a package, StillRunning when a deployment outlasts our patience. The lock is asked
    before each step whether it still holds; `record` is told how each deployment ended. A setup that
    somebody else is changing is waited for as long as `patience` has seconds.
    """
    plan.raise_if_refused()
    deployed: list[str] = []
    changed: list[str] = []
    ordered = steps(plan)
    checked = next((step for step in ordered if isinstance(step, Deploy)), None)
    for step in ordered:
        lock.confirm()
        match step:
            case WriteRecord(change):
                write_record(org, change)
                report(f"{change.address}: {DONE[change.action]}")
            case TryDelete():
                asked = replace(options, check_only=True)
                result = deploy(org, deletion(plan, step), asked, "what is deleted", report, patience=patience)
                result = redact(result, secrets)
                record(result)
                if not result.success:
                    raise failure(result, origins, changed)
            case SettleFlow(address):
                _settle(org, address, report)
            case RemoveFlow(address):
                versions = remove_flow(org, address)
                changed.append(f"{address}: deactivated, {versions} version{'' if versions == 1 else 's'} deleted")
                report(changed[-1])
            case Deploy():
                quick = quick_deploy(plan, step, org, mark, options) if step is checked else QuickDeploy()
                if quick.why_not:
                    report(f"The check of the plan cannot be deployed from ({quick.why_not}); deploying anew.")
                if quick.deploy_id:
                    result = follow_quick(org, quick.deploy_id, report, started=lock.deploying)
                else:
                    zipped, deploy_options = package(plan, step, mark, secrets), inherit_tests(plan.validation, options)
                    result = deploy(
                        org, zipped, deploy_options, described(step), report, started=lock.deploying, patience=patience
                    )
                result = redact(result, secrets)
                record(result)
                if not result.success:
                    raise failure(result, origins, changed)
                mark = quick.mark or mark
                deployed.append(result.id)
                changed.append(f"deployment {result.id}")
    reversible = bool(deployed) and plan.mode is not Mode.DESTROY
    return ApplyResult(plan, tuple(deployed), mark.id if reversible else "")


def _settle(org: Org, address: Address, report: Progress) -> None:
    if activate_flow(org, address):
        report(f"{address}: came in inactive, as in production; activated")
    if pruned := prune_flow(org, address):
        report(f"{address}: {pruned} old version{'' if pruned == 1 else 's'} deleted")


def described(step: Deploy) -> str:
    """Describe the content of a package in a few words."""
    count = len(step.components) + len(step.deleted)
    return f"{count} component{'' if count == 1 else 's'} and the applied state" if count else "the applied state"
