"""`sfcode apply`: make the org what the config asks for."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.options import ownership_options
from sfcode.cli.output import envelope, paint, say
from sfcode.cli.report import show_plan
from sfcode.cli.session import Session
from sfcode.errors import ExitCode, Refused, UsageError
from sfcode.metadata.component import Address

if TYPE_CHECKING:
    from sfcode.apply.package import Mark
    from sfcode.config.project import Project
    from sfcode.plan.plan import Plan


@click.command()
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--attach", metavar="DEPLOY_ID", help="Follow a deployment that goes on in the org, and nothing else.")
@ownership_options
@click.pass_obj
def apply(
    session: Session,
    plan_file: Path | None,
    *,
    auto_approve: bool,
    attach: str | None,
    adopt: tuple[Address, ...],
    allow_delete: tuple[Address, ...],
) -> int:
    """
    Make the org what the config asks for.

    With PLAN, exactly that plan is carried out, or nothing. Without, a plan is made, shown, and
    carried out after a `yes`.
    """
    from sfcode.apply.carry_out import carry_out
    from sfcode.apply.next_steps import next_steps
    from sfcode.plan.document import load
    from sfcode.plan.make import make, raise_if_moved

    if attach:
        return _attach(session, attach)
    saved = load(plan_file) if plan_file else None
    if saved and (adopt or allow_delete):
        raise UsageError("A saved plan is carried out as it is.", "Give --adopt and --allow-delete to `sfcode plan`.")
    project = session.project()
    if project.target.protected and saved is None:
        raise Refused(
            f"Environment {project.environment} is protected: only a saved plan is applied to it.",
            "sfcode plan --out FILE, have it reviewed, then: sfcode apply FILE",
        )
    secrets = session.secrets(project)
    with session.open_org(project) as org:
        made = make(project, org, secrets, adopt=adopt, allow_delete=allow_delete)
        if saved:
            raise_if_moved(saved, project, made)
        plan = saved or made.plan
        if not session.json:
            show_plan(session, plan, "text")
        plan.raise_if_refused()
        deployed: tuple[str, ...] = ()
        if not plan.is_empty:
            if saved is None and not auto_approve:
                _ask(session, plan)
                raise_if_moved(plan, project, make(project, org, secrets, adopt=adopt, allow_delete=allow_delete))
            deployed = carry_out(
                plan,
                org,
                secrets,
                origins=made.desired.origins,
                mark=_mark(project, plan),
                say=lambda t: say(session, t),
            )
    steps = next_steps(project)
    _report(session, plan, deployed, steps)
    return ExitCode.OK


def _attach(session: Session, deploy_id: str) -> int:
    from sfcode.apply.attach import attach
    from sfcode.apply.failures import failure

    project = session.project()
    with session.open_org(project) as org:
        result = attach(org, deploy_id, lambda line: say(session, line))
    if not result.success:
        raise failure(result, ())
    if session.json:
        envelope({"deployments": [result.id], "org": org.identity.org_id})
    else:
        click.echo(f"The deployment {result.id} is in. Run `sfcode plan` to see what is left to do.")
    return ExitCode.OK


def _ask(session: Session, plan: Plan) -> None:
    if session.json or not sys.stdin.isatty():
        raise UsageError(
            "Nobody is there to approve this plan.", "Say --auto-approve, or apply a saved plan: sfcode apply FILE"
        )
    click.echo(f"\nDo you want to perform these actions in {plan.target.name}? Only 'yes' will be accepted.")
    if click.prompt("Enter a value", default="", show_default=False).strip() != "yes":
        raise Refused("Apply cancelled; nothing was changed.")


def _mark(project: Project, plan: Plan) -> Mark:
    from sfcode.apply.package import Mark
    from sfcode.apply.revision import revision

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Mark(by=plan.target.username, at=now, revision=revision(project.root))


def _report(session: Session, plan: Plan, deployed: tuple[str, ...], steps: str) -> None:
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
        done = f"Apply complete! Resources: {add} added, {change} changed, {destroy} destroyed."
        click.echo(f"\n{paint(done, '+')}")
        if steps and not session.quiet:
            click.echo(f"\n{steps}")
