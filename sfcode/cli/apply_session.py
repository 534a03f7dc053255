"""The user interface of an apply: show the plan, ask for approval, print the result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.cli.plan_output import render_command, show_plan
from sfcode.cli.prompt import ask
from sfcode.cli.report_file import JUnitReport

if TYPE_CHECKING:
    from sfcode.apply.execute import ApplyResult
    from sfcode.apply.session import ApplyOptions
    from sfcode.config.project import Project
    from sfcode.mapping.desired import Origin
    from sfcode.org import DeployResult
    from sfcode.plan.modes import PlanRequest
    from sfcode.plan.plan import Plan


def run_apply(
    invocation: Invocation,
    project: Project,
    request: PlanRequest | Plan,
    options: ApplyOptions,
    junit: JUnitReport | None = None,
) -> ApplyResult:
    """Apply a saved plan, or a new one after a `yes` at the terminal."""
    from sfcode.apply.session import ApplyCallbacks, apply_plan
    from sfcode.plan.modes import PlanRequest
    from sfcode.plan.reports.plan_items import headline

    collected = junit or JUnitReport()

    progress = invocation.progress

    def show(plan: Plan) -> None:
        progress.hide()
        if not invocation.json:
            if isinstance(request, PlanRequest):
                # The error that follows contains the refusals.
                show_plan(invocation, replace(plan, refusals=()), "text")
            else:
                print_status(invocation, f"Applying the saved plan to {plan.target.name}. {headline(plan)}")
        invocation.result.plan = plan

    def record(deployed: DeployResult, origins: Sequence[Origin]) -> None:
        collected.results.append(deployed)
        collected.origins = tuple(origins)

    def report_line(line: str) -> None:
        with progress.pause():
            print_status(invocation, line)
        if not progress.active:
            stack.enter_context(invocation.show_progress("Applying"))

    callbacks = ApplyCallbacks(
        approve=lambda plan: _approve(invocation, project, plan),
        show=show,
        report=report_line,
        record=record,
    )
    secrets = invocation.secrets(project)
    with invocation.open_org(project) as org, ExitStack() as stack:
        stack.enter_context(invocation.show_progress("Reading the org"))
        return apply_plan(project, org, secrets, request, callbacks=callbacks, options=options)


def report(invocation: Invocation, result: ApplyResult, *, steps: str = "") -> None:
    """Print the result of an apply, how to undo it, and the remaining steps."""
    from sfcode.plan.change import Action
    from sfcode.plan.modes import Mode

    plan = result.plan
    add, change, destroy = (plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    verb = {Mode.DESTROY: "Destroy", Mode.ROLLBACK: "Rollback"}.get(plan.mode, "Apply")
    end = f"{verb} complete! Resources: {add} added, {change} changed, {destroy} destroyed."
    if not plan.is_empty:
        invocation.result.done, invocation.result.next_steps = end, steps
    if invocation.json:
        answer = {
            "added": add,
            "changed": change,
            "destroyed": destroy,
            "apply_id": result.apply_id or None,
            "deployments": list(result.deployments),
            "org": plan.target.org_id,
            "next_steps": steps.splitlines(),
        }
        print_envelope(answer, plan.warnings)
        return
    if not plan.is_empty:
        echo(f"\n{paint(end, '+')}")
        if result.apply_id and not invocation.quiet:
            echo(f"To restore the previous state: {render_command(invocation, 'rollback', result.apply_id)}")
        if steps and not invocation.quiet:
            echo(f"\n{steps}")


def _approve(invocation: Invocation, project: Project, plan: Plan) -> bool:
    """Ask for approval at the terminal. Raises UsageError if there is none."""
    from sfcode.plan.modes import Mode

    answer = "yes"
    if plan.mode is not Mode.DESTROY:
        question = f"Do you want to perform these actions in {plan.target.name}?\nOnly 'yes' will be accepted."
    elif project.target.protected:
        answer = plan.target.name
        question = (
            f"Environment {project.environment} is protected.\nTo remove the integration, type the name of the org "
            f"({answer})."
        )
    else:
        question = f"Do you want to destroy these components in {plan.target.name}?\nOnly 'yes' will be accepted."
    hint = (
        "Pass --auto-approve, or apply a saved plan: sfcode apply FILE. A protected environment can be "
        "destroyed only at a terminal."
    )
    return ask(invocation, question, answer=answer, hint=hint)
