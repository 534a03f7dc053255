"""Make a plan, show it, have it approved and carry it out: what apply and destroy share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING

import click

from sfcode.cli.junit import JUnit
from sfcode.cli.lock_options import Locking, hold
from sfcode.cli.output import envelope, paint, say
from sfcode.cli.plan_output import again, show_plan
from sfcode.cli.session import Session
from sfcode.errors import Interrupted, Refused, UsageError

if TYPE_CHECKING:
    from sfcode.apply.lock import Lock
    from sfcode.apply.package import Mark
    from sfcode.config.project import Project
    from sfcode.org import DeployOptions, Org
    from sfcode.plan.plan import Plan
    from sfcode.plan.planner import Made

Make = Callable[["Project", "Org", dict[str, str]], "Made"]


@dataclass(frozen=True)
class Performed:
    """What was done: the plan, the deployments, and the id by which it can be rolled back."""

    plan: Plan
    deployments: tuple[str, ...] = ()
    apply_id: str = ""


def perform(
    session: Session,
    project: Project,
    make: Make,
    *,
    saved: Plan | None,
    auto_approve: bool,
    options: DeployOptions,
    locking: Locking,
    junit: JUnit | None = None,
) -> Performed:
    """
    Carry out a plan: the saved one if the org still is as it was, else a new one after a `yes`.

    The org is locked from before it is looked at; while somebody thinks about a `yes` it is not, and
    afterwards it is looked at again.
    """
    from sfcode.apply.execute import carry_out
    from sfcode.plan.digest import changes_digest
    from sfcode.plan.planner import raise_if_moved

    secrets = session.secrets(project)
    with session.open_org(project) as org, ExitStack() as stack:

        def lock() -> Lock:
            named = changes_digest(saved)[:12] if saved else ""
            return stack.enter_context(hold(session, project, org, locking, named))

        held = lock() if saved or auto_approve else None
        made = make(project, org, secrets)
        if saved:
            raise_if_moved(saved, project, made)
        plan = saved or made.plan
        if not session.json:
            # Why it is refused is the error that follows, and not told twice.
            show_plan(session, replace(plan, refusals=()), "text")
        session.outcome.plan = plan
        plan.raise_if_refused()
        if plan.is_empty:
            return Performed(plan)
        asked = _approve(session, project, plan, saved=saved is not None, auto_approve=auto_approve)
        held = held or lock()
        if asked:
            raise_if_moved(plan, project, make(project, org, secrets))
        collected = junit or JUnit()
        collected.origins = made.desired.origins
        done = carry_out(
            plan,
            org,
            secrets,
            origins=made.desired.origins,
            mark=mark_of(project, made),
            options=options,
            say=lambda line: say(session, line),
            lock=held,
            heard=collected.results.append,
            patience=locking.patience,
        )
        return Performed(plan, done.deployments, done.apply_id if done.deployments and not plan.destroy else "")


def report(session: Session, done: Performed, *, steps: str = "") -> None:
    """Write what was done, how to undo it, and what is left to do."""
    from sfcode.plan.change import Action

    plan = done.plan
    add, change, destroy = (plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    what = "Destroy" if plan.destroy else "Rollback" if plan.rollback else "Apply"
    end = f"{what} complete! Resources: {add} added, {change} changed, {destroy} destroyed."
    if not plan.is_empty:
        session.outcome.done, session.outcome.next_steps = end, steps
    if session.json:
        result = {
            "added": add,
            "changed": change,
            "destroyed": destroy,
            "apply_id": done.apply_id or None,
            "deployments": list(done.deployments),
            "org": plan.target.org_id,
            "next_steps": steps.splitlines(),
        }
        envelope(result, plan.warnings)
        return
    if not plan.is_empty:
        click.echo(f"\n{paint(end, '+')}")
        if done.apply_id and not session.quiet:
            click.echo(f"To put back what was there before: {again(session, 'rollback', done.apply_id)}")
        if steps and not session.quiet:
            click.echo(f"\n{steps}")


def _approve(session: Session, project: Project, plan: Plan, *, saved: bool, auto_approve: bool) -> bool:
    """Have the plan approved; tell whether somebody was asked, so that time has gone by."""
    if plan.destroy and project.target.protected:
        _ask(
            session,
            f"Environment {project.environment} is protected.\nTo take the integration down, type the name of the org "
            f"({plan.target.name}).",
            plan.target.name,
        )
        return True
    if saved or auto_approve:
        return False
    what = "destroy all this" if plan.destroy else "perform these actions"
    _ask(session, f"Do you want to {what} in {plan.target.name}?\nOnly 'yes' will be accepted.", "yes")
    return True


def _ask(session: Session, question: str, wanted: str) -> None:
    if session.json or not sys.stdin.isatty():
        raise UsageError(
            "Nobody is there to approve this plan.",
            "Say --auto-approve, or apply a saved plan: sfcode apply FILE. To take a protected environment down, "
            "somebody has to sit at a terminal.",
        )
    click.echo(f"\n{question}")
    try:
        click.echo("Enter a value: ", nl=False)
        typed = input()
    except (EOFError, KeyboardInterrupt) as end:
        click.echo()
        if isinstance(end, KeyboardInterrupt):
            raise Interrupted("Interrupted; nothing was changed.") from None
        typed = ""
    if typed.strip() != wanted:
        raise Refused("Cancelled; nothing was changed.")


def mark_of(project: Project, made: Made) -> Mark:
    """Note who applies, when, from which commit, and after which applies."""
    from sfcode.apply.package import Mark
    from sfcode.apply.revision import revision

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Mark(
        by=made.plan.target.username,
        at=now,
        revision=revision(project.root),
        id=token_hex(4),
        applied=made.observed.applied,
    )
