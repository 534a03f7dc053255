"""Make a plan, show it, have it approved and carry it out: what apply and destroy share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sfcode.cli.output import envelope, paint, say
from sfcode.cli.report import show_plan
from sfcode.cli.session import Session
from sfcode.errors import Refused, UsageError

if TYPE_CHECKING:
    from sfcode.apply.package import Mark
    from sfcode.config.project import Project
    from sfcode.org import DeployOptions, Org
    from sfcode.plan.make import Made
    from sfcode.plan.plan import Plan

Make = Callable[["Project", "Org", dict[str, str]], "Made"]


def perform(
    session: Session, project: Project, make: Make, *, saved: Plan | None, auto_approve: bool, options: DeployOptions
) -> tuple[Plan, tuple[str, ...]]:
    """
    Carry out a plan: the saved one if the org still is as it was, else a new one after a `yes`.

    Returns the plan and the ids of its deployments.
    """
    from sfcode.apply.carry_out import carry_out
    from sfcode.plan.make import raise_if_moved

    secrets = session.secrets(project)
    with session.open_org(project) as org:
        made = make(project, org, secrets)
        if saved:
            raise_if_moved(saved, project, made)
        plan = saved or made.plan
        if not session.json:
            show_plan(session, plan, "text")
        plan.raise_if_refused()
        if plan.is_empty:
            return plan, ()
        if _approve(session, project, plan, saved=saved is not None, auto_approve=auto_approve):
            raise_if_moved(plan, project, make(project, org, secrets))
        mark = mark_of(project, plan)
        deployed = carry_out(
            plan,
            org,
            secrets,
            origins=made.desired.origins,
            mark=mark,
            options=options,
            say=lambda line: say(session, line),
        )
        return plan, deployed


def report(session: Session, plan: Plan, deployed: tuple[str, ...], *, steps: str = "") -> None:
    """Write what was done, and what is left to do."""
    from sfcode.plan.change import Action

    add, change, destroy = (plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    if session.json:
        result = {
            "added": add,
            "changed": change,
            "destroyed": destroy,
            "deployments": list(deployed),
            "org": plan.target.org_id,
            "next_steps": steps.splitlines(),
        }
        envelope(result, plan.warnings)
        return
    if not plan.is_empty:
        what = "Destroy" if plan.destroy else "Apply"
        done = f"{what} complete! Resources: {add} added, {change} changed, {destroy} destroyed."
        click.echo(f"\n{paint(done, '+')}")
        if steps and not session.quiet:
            click.echo(f"\n{steps}")


def _approve(session: Session, project: Project, plan: Plan, *, saved: bool, auto_approve: bool) -> bool:
    """Have the plan approved; tell whether somebody was asked, so that time has gone by."""
    if plan.destroy and project.target.protected:
        _ask(
            session,
            f"Environment {project.environment} is protected. To take the integration down, type the name "
            f"of the org ({plan.target.name}).",
            plan.target.name,
        )
        return True
    if saved or auto_approve:
        return False
    what = "destroy all this" if plan.destroy else "perform these actions"
    _ask(session, f"Do you want to {what} in {plan.target.name}? Only 'yes' will be accepted.", "yes")
    return True


def _ask(session: Session, question: str, wanted: str) -> None:
    if session.json or not sys.stdin.isatty():
        raise UsageError(
            "Nobody is there to approve this plan.",
            "Say --auto-approve, or apply a saved plan: sfcode apply FILE. To take a protected environment down, "
            "somebody has to sit at a terminal.",
        )
    click.echo(f"\n{question}")
    if click.prompt("Enter a value", default="", show_default=False).strip() != wanted:
        raise Refused("Cancelled; nothing was changed.")


def mark_of(project: Project, plan: Plan) -> Mark:
    """Note who applies, when, and from which commit."""
    from sfcode.apply.package import Mark
    from sfcode.apply.revision import revision

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Mark(by=plan.target.username, at=now, revision=revision(project.root))
