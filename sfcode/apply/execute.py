"""Execute a plan in ordered, repeatable steps, so that the next apply can complete an interrupted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sfcode.apply.deploy import Progress, Record, deploy, follow_quick, ignore
from sfcode.apply.deploy_errors import failure, list_coverage_warnings
from sfcode.apply.flows import delete_versions, deploys_drafts, remove_flow, settle_flows
from sfcode.apply.lock import Lock
from sfcode.apply.package import package
from sfcode.apply.quick_deploy import QuickDeploy, inherit_tests, quick_deploy
from sfcode.apply.records import RecordIds, delete_state, write_record, write_state
from sfcode.apply.redact import redact
from sfcode.apply.rename import rename
from sfcode.apply.steps import (
    DeleteState,
    DeleteVersions,
    Deploy,
    KeepState,
    RecordIntent,
    RemoveFlow,
    Rename,
    SettleFlows,
    Trial,
    WriteRecord,
    steps,
)
from sfcode.apply.trial import run_trial
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.plan.change import Action
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark, intended_state, state_after
from sfcode.plan.plan import Plan
from sfcode.plan.state import Applied

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True)
class ApplyResult:
    """The result of an apply."""

    plan: Plan
    deployments: tuple[str, ...] = ()
    """IDs of the deployments, in order."""
    apply_id: str = ""
    """The ID for a rollback; empty if there is nothing to roll back."""
    told: tuple[str, ...] = ()
    """Digests of the manual steps that earlier applies have printed."""


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
    done: Callable[[str], object] = ignore,
) -> ApplyResult:
    """
    Execute the steps of a plan.

    Raises Refused before the first step if the plan is refused, DeployFailed if the org refuses a package, and
    StillRunning if a deployment takes longer than the timeout. The lock is checked before each step. `record` receives
    the result of each deployment, and `done` the result of each step. While another setup change runs in the org, a
    step is retried for `patience` seconds.
    """
    plan.raise_if_refused()
    deployed: list[str] = []
    changed: list[str] = []
    ordered = steps(plan, drafts=deploys_drafts(org, inherit_tests(plan.validation, options)))
    checked = next((step for step in ordered if isinstance(step, Deploy)), None)
    ids = RecordIds(org)
    for step in ordered:
        lock.confirm()
        match step:
            case Trial():
                result = run_trial(plan, step, org, secrets, options=options, report=report, patience=patience)
                record(result)
                if not result.success:
                    raise failure(result, origins, changed)
            case Deploy():
                quick = quick_deploy(plan, step, org, mark, options) if step is checked else QuickDeploy()
                if quick.why_not:
                    report(f"The validated package cannot be used ({quick.why_not}); deploying the package again.")
                if quick.deploy_id:
                    result = follow_quick(org, quick.deploy_id, report, started=lock.deploying)
                else:
                    zipped, deploy_options = package(plan, step, mark, secrets), inherit_tests(plan.validation, options)
                    result = deploy(
                        org,
                        zipped,
                        deploy_options,
                        describe_package(step),
                        report,
                        started=lock.deploying,
                        patience=patience,
                    )
                result = redact(result, secrets)
                record(result)
                if not result.success:
                    raise failure(result, origins, changed)
                for warning in list_coverage_warnings(result):
                    report(f"  {warning}")
                mark = quick.mark or mark
                deployed.append(result.id)
                changed.append(f"deployment {result.id}")
                done(changed[-1])
            case WriteRecord() | Rename() | RemoveFlow() | DeleteVersions():
                line = _write_in_place(org, step, ids)
                changed += [line] if not isinstance(step, WriteRecord) else []
                done(line)
                report(line)
            case SettleFlows(addresses):
                settle_flows(org, addresses, report)
            case _:
                _write_state(org, plan, step, mark)
    reversible = plan.mode is not Mode.DESTROY and any(isinstance(step, Deploy | KeepState) for step in ordered)
    return ApplyResult(plan, tuple(deployed), mark.id if reversible else "", mark.applied.told)


def _write_in_place(org: Org, step: WriteRecord | Rename | RemoveFlow | DeleteVersions, ids: RecordIds) -> str:
    """Execute a step that is not a deployment; return its description."""
    if isinstance(step, WriteRecord):
        write_record(org, step.change, ids)
        return f"{step.change.address}: {DONE[step.change.action]}"
    if isinstance(step, Rename):
        rename(org, step.moves)
        return "; ".join(f"{move.former}: renamed to {move.present.full_name}" for move in step.moves)
    if isinstance(step, RemoveFlow):
        count = remove_flow(org, step.address)
        return f"{step.address}: deactivated, {count} version{'' if count == 1 else 's'} deleted"
    count = delete_versions(org, step.versions.flow, step.versions.numbers)
    return f"{step.versions.flow}: {count} old version{'' if count == 1 else 's'} deleted"


def _write_state(org: Org, plan: Plan, step: RecordIntent | KeepState | DeleteState, mark: Mark) -> None:
    match step:
        case RecordIntent():
            write_state(org, plan.state, intended_state(plan, mark.applied), first=mark.applied == Applied())
        case KeepState(owned):
            write_state(org, plan.state, state_after(plan, owned, mark))
        case DeleteState():
            delete_state(org, plan.state)


def describe_package(step: Deploy) -> str:
    """Describe the content of a package in a few words."""
    count = len(step.components) + len(step.deleted)
    return f"{count} component{'' if count == 1 else 's'} and the applied state" if count else "the applied state"
