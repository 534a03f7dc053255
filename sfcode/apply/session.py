"""One apply from plan to result: read the org, show the plan, get approval, read again, execute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING

from sfcode.apply.deploy import ignore
from sfcode.apply.lock import Lock, hold_locks
from sfcode.apply.lock_holder import describe_run
from sfcode.apply.next_steps import list_steps
from sfcode.config.project import Project
from sfcode.errors import Interrupted, Refused
from sfcode.git import describe_revision
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.desired import Origin
from sfcode.org import DeployOptions, Org
from sfcode.org.results import DeployResult
from sfcode.plan.digest import changes_digest
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan
from sfcode.plan.planner import PlanResult, make_plan, raise_if_outdated

if TYPE_CHECKING:
    from sfcode.apply.execute import ApplyResult


RECENT = 60.0
"""The maximum age in seconds of a response that is used for the org's time; if all are older, the org is asked for its
time."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of an apply."""

    auto_approve: bool = False
    deploy: DeployOptions = field(default_factory=DeployOptions)
    lock: bool = True
    lock_timeout: float = 0.0
    """Seconds to wait for another apply, or for another tool that changes the setup of this org."""
    verb: str = "apply"
    """The name of the running command, for the lock in the org."""


@dataclass(frozen=True, slots=True)
class ApplyCallbacks:
    """The callbacks of an apply: approval and progress."""

    approve: Callable[[Plan], bool]
    """
    Ask for approval of the plan.

    May raise UsageError if there is no terminal. EOFError counts as a refusal, KeyboardInterrupt as an interruption.
    """
    show: Callable[[Plan], object] = ignore
    """Show the plan before the approval or a refusal."""
    report: Callable[[str], object] = ignore
    """Receives each line of progress."""
    record: Callable[[DeployResult, Sequence[Origin]], object] = lambda *_: None
    """Keep the result of a deployment, with the YAML lines that its components come from."""


def apply_plan(
    project: Project,
    org: Org,
    secrets: Mapping[str, str],
    request: PlanRequest | Plan,
    *,
    callbacks: ApplyCallbacks,
    options: ApplyOptions,
) -> ApplyResult:
    """
    Apply a saved plan if the org has not changed, otherwise a new one that was approved.

    The org is locked from before it is read until the end, except while the approval is awaited, after which it is read
    again.

    Raises Refused when the plan is refused, not approved, or made for another state of the org; Interrupted when
    the answer was Ctrl-C; OrgError when the org refuses a step.
    """
    saved, plan_request = (request, PlanRequest(request.mode)) if isinstance(request, Plan) else (None, request)
    with ExitStack() as stack:
        started_modes: list[str] = []
        done: list[str] = []
        stack.enter_context(_explain_interruption(started_modes, done, options))

        def take_lock() -> Lock:
            plan = changes_digest(saved)[:12] if saved else ""
            return stack.enter_context(_hold_lock(project, org, options, plan, callbacks.report))

        lock = take_lock() if saved or options.auto_approve else None
        result = make_plan(project, org, secrets, plan_request, meanwhile=_import_execution)
        from sfcode.apply.execute import ApplyResult, Execution

        if saved:
            raise_if_outdated(saved, project, result)
        plan = saved or result.plan
        callbacks.show(plan)
        plan.raise_if_refused()
        if plan.is_empty:
            return ApplyResult(plan)
        needs_approval = _needs_approval(plan, project, saved=saved is not None, auto_approve=options.auto_approve)
        if needs_approval:
            _ask(callbacks.approve, plan)
        lock = lock or take_lock()
        if needs_approval:
            raise_if_outdated(plan, project, make_plan(project, org, secrets, plan_request))
        origins = result.desired.origins
        started_modes.append(plan.mode.value)
        return Execution(
            plan,
            org,
            secrets,
            mark=make_mark(project, result, org.now(within=RECENT)),
            lock=lock,
            origins=origins,
            options=options.deploy,
            report=callbacks.report,
            record=lambda deployed: callbacks.record(deployed, origins),
            patience=options.lock_timeout,
            done=done.append,
        ).run()


def _import_execution() -> None:
    """Import the modules that show and execute a plan while the org answers."""
    import sfcode.apply.execute
    import sfcode.plan.reports.text  # noqa: F401


@contextmanager
def _explain_interruption(started_modes: list[str], done: list[str], options: ApplyOptions) -> Iterator[None]:
    """Convert an interruption to an error that lists the completed steps."""
    try:
        yield
    except KeyboardInterrupt:
        if not started_modes:
            raise Interrupted("Interrupted; nothing was changed.") from None
        released = "; the lock is released" if options.lock else ""
        steps = "".join(f"\n  - {line}" for line in done)
        stays = f"Completed steps, which remain:{steps}" if done else "No step was completed."
        raise Interrupted(
            f"Interrupted{released}. {stays}",
            f"The last step may have been completed as well. `sfcode plan` shows the remaining changes; `sfcode {options.verb}` "
            "does them.",
        ) from None


def make_mark(project: Project, result: PlanResult, now: datetime | None = None) -> Mark:
    """Return the mark of this apply: user, time, commit, and previous applies."""
    return Mark(
        by=result.plan.target.username,
        at=(now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        revision=describe_revision(project.root),
        id=token_hex(4),
        printed_steps=tuple(step.digest for step in list_steps(project)),
        applied=result.snapshot.applied,
    )


def _needs_approval(plan: Plan, project: Project, *, saved: bool, auto_approve: bool) -> bool:
    """Return whether approval is required; a protected environment is never destroyed without it."""
    if plan.mode is Mode.DESTROY and project.target.protected:
        return True
    return not (saved or auto_approve)


def _ask(approve: Callable[[Plan], bool], plan: Plan) -> None:
    try:
        approved = approve(plan)
    except EOFError:
        approved = False
    except KeyboardInterrupt:
        raise Interrupted("Interrupted; nothing was changed.") from None
    if not approved:
        raise Refused("Canceled; nothing was changed.")


@contextmanager
def _hold_lock(
    project: Project, org: Org, options: ApplyOptions, plan: str, report: Callable[[str], object]
) -> Iterator[Lock]:
    """
    Hold the lock of the org while it is changed.

    The command line turns signals into KeyboardInterrupt, so that the lock is released.
    """
    if not options.lock:
        yield Lock()
        return
    holder = describe_run(options.verb, plan)
    with hold_locks(org, project.identities, holder, patience=options.lock_timeout, report=report) as lock:
        yield lock
