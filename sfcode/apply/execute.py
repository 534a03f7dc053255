"""Execute a plan in ordered, repeatable steps, so that the next apply can complete an interrupted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sfcode.apply.deploy import Progress, Record, deploy, follow_quick, ignore
from sfcode.apply.deploy_errors import failure, list_coverage_warnings
from sfcode.apply.flows import activate_flows, delete_versions, deploys_drafts, remove_flow
from sfcode.apply.lock import Lock
from sfcode.apply.package import package
from sfcode.apply.quick_deploy import QuickDeploy, inherit_tests, quick_deploy
from sfcode.apply.records import RecordIds, delete_state, write_record, write_state
from sfcode.apply.redact import redact
from sfcode.apply.rename import rename
from sfcode.apply.steps import (
    ActivateFlows,
    DeleteState,
    DeleteVersions,
    Deploy,
    KeepState,
    RecordIntent,
    RemoveFlow,
    Rename,
    Trial,
    WriteRecord,
    steps,
)
from sfcode.apply.trial import run_trial
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.change import Action
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark, intended_state, state_after
from sfcode.plan.plan import Plan
from sfcode.plan.state import Applied
from sfcode.text import count_noun

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True)
class ApplyResult:
    """The result of an apply."""

    plan: Plan
    deployments: tuple[str, ...] = ()
    """IDs of the deployments, in order."""
    apply_id: str = ""
    """The ID for a rollback; empty if there is nothing to roll back."""
    printed_steps: tuple[str, ...] = ()
    """Digests of the manual steps that earlier applies have printed."""


@dataclass
class Execution:
    """One execution of a plan: the org, its lock, and the callbacks that receive its results."""

    plan: Plan
    org: Org
    secrets: Mapping[str, str]
    mark: Mark
    """The user, time, commit and ID that the state records; after a quick deployment, those of the check."""
    lock: Lock
    origins: Iterable[Origin]
    """The YAML lines that the components come from, for errors of the org."""
    options: DeployOptions
    report: Progress
    record: Record = ignore
    """Receives the result of each deployment."""
    patience: float = 0.0
    """Seconds for which a step is retried while another setup change runs in the org."""
    done: Callable[[str], object] = ignore
    """Receives a line about each completed step."""
    _deployed: list[str] = field(default_factory=list, init=False)
    """IDs of the deployments that succeeded."""
    _changes: list[str] = field(default_factory=list, init=False)
    """Lines about the completed changes of the org that a refused deployment does not revert."""

    def run(self) -> ApplyResult:
        """
        Execute the steps of the plan. The lock is checked before each step.

        Raises Refused before the first step if the plan is refused, DeployFailed if the org refuses a package, and
        StillRunning if a deployment takes longer than the timeout.
        """
        plan = self.plan
        plan.raise_if_refused()
        drafts = deploys_drafts(self.org, inherit_tests(plan.validation, self.options))
        ordered = steps(plan, drafts=drafts)
        checked = next((step for step in ordered if isinstance(step, Deploy)), None)
        ids = RecordIds(self.org)
        for step in ordered:
            self.lock.confirm()
            match step:
                case Trial():
                    self._validate(step)
                case Deploy():
                    self._deploy(step, is_checked=step is checked)
                case WriteRecord() | Rename() | RemoveFlow() | DeleteVersions():
                    self._write_in_place(step, ids)
                case ActivateFlows(addresses):
                    activate_flows(self.org, addresses, self.report)
                case _:
                    self._write_state(step)
        reversible = plan.mode is not Mode.DESTROY and any(isinstance(step, Deploy | KeepState) for step in ordered)
        return ApplyResult(
            plan, tuple(self._deployed), self.mark.id if reversible else "", self.mark.applied.printed_steps
        )

    def _validate(self, step: Trial) -> None:
        result = run_trial(
            self.plan, step, self.org, self.secrets, options=self.options, report=self.report, patience=self.patience
        )
        self._take_result(result)

    def _deploy(self, step: Deploy, *, is_checked: bool) -> None:
        """Deploy a package, with a quick deployment if a check of the plan validated it and the org allows it."""
        quick = quick_deploy(self.plan, step, self.org, self.mark, self.options) if is_checked else QuickDeploy()
        if quick.why_not:
            self.report(f"The validated package cannot be used ({quick.why_not}); deploying the package again.")
        if quick.deploy_id:
            result = follow_quick(self.org, quick.deploy_id, self.report, started=self.lock.record_deployment)
        else:
            result = deploy(
                self.org,
                package(self.plan, step, self.mark, self.secrets),
                inherit_tests(self.plan.validation, self.options),
                describe_package(step),
                self.report,
                started=self.lock.record_deployment,
                patience=self.patience,
            )
        result = redact(result, self.secrets)
        self._take_result(result)
        for warning in list_coverage_warnings(result):
            self.report(f"  {warning}")
        self.mark = quick.mark or self.mark
        self._deployed.append(result.id)
        self._changes.append(f"deployment {result.id}")
        self.done(f"deployment {result.id}")

    def _take_result(self, result: DeployResult) -> None:
        """Record the result of a deployment. Raises DeployFailed if it failed."""
        self.record(result)
        if not result.success:
            raise failure(result, self.origins, self._changes)

    def _write_in_place(self, step: WriteRecord | Rename | RemoveFlow | DeleteVersions, ids: RecordIds) -> None:
        """Execute a step that is not a deployment."""
        match step:
            case WriteRecord(change):
                write_record(self.org, change, ids)
                line = f"{change.address}: {DONE[change.action]}"
            case Rename(moves):
                rename(self.org, moves)
                line = "; ".join(f"{move.former}: renamed to {move.present.full_name}" for move in moves)
            case RemoveFlow(address):
                count = remove_flow(self.org, address)
                line = f"{address}: deactivated, {count_noun(count, 'version')} deleted"
            case DeleteVersions(versions):
                count = delete_versions(self.org, versions.flow, versions.numbers)
                line = f"{versions.flow}: {count_noun(count, 'old version')} deleted"
        if not isinstance(step, WriteRecord):
            self._changes.append(line)
        self.done(line)
        self.report(line)

    def _write_state(self, step: RecordIntent | KeepState | DeleteState) -> None:
        state, mark = self.plan.state, self.mark
        match step:
            case RecordIntent():
                write_state(self.org, state, intended_state(self.plan, mark.applied), first=mark.applied == Applied())
            case KeepState(owned):
                write_state(self.org, state, state_after(self.plan, owned, mark))
            case DeleteState():
                delete_state(self.org, state)


def describe_package(step: Deploy) -> str:
    """Describe the content of a package in a few words."""
    count = len(step.components) + len(step.deleted)
    return f"{count_noun(count, 'component')} and the applied state" if count else "the applied state"
