"""`sfcode github`: check for workflows whether a plan was reviewed, and keep the issue about drift."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import print_envelope, print_status


@click.group()
def github() -> None:
    """Run the steps of the GitHub workflows: check the review of a plan, report drift. Needs GITHUB_TOKEN."""


@github.command("reviewed")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--approval", metavar="ENVIRONMENT", help="Fail if an approval is needed and this environment requires none."
)
@click.pass_obj
def reviewed_command(invocation: Invocation, plan_file: Path, approval: str | None) -> None:
    """
    Check whether PLAN is the reviewed plan.

    A plan is reviewed if this commit merged a pull request that was approved after its comment showed the same
    changes. The step's output `reviewed` is true or false.
    """
    from sfcode.github.client import GitHub
    from sfcode.github.comment_marker import comment_marker
    from sfcode.github.context import read_job_context
    from sfcode.github.reviewed import check_review, require_reviewers
    from sfcode.plan.digest import changes_digest

    plan = invocation.load_plan(plan_file)
    context = read_job_context(os.environ)
    marker = comment_marker(invocation.config, plan.environment, plan=changes_digest(plan))
    with GitHub(context, needs="contents: read, pull-requests: read, actions: read") as client:
        verdict = check_review(client, context.sha, marker)
        invocation.result.outputs["reviewed"] = str(verdict.reviewed).lower()
        if not verdict.reviewed and approval:
            require_reviewers(client, approval, verdict.reason)
    if invocation.json:
        print_envelope({"reviewed": verdict.reviewed, "reason": verdict.reason})
        return
    answer = "This plan was reviewed" if verdict.reviewed else "This plan needs an approval"
    invocation.result.done = f"{answer}: {verdict.reason}."
    print_status(invocation, invocation.result.done)


@github.command()
@click.argument("plan_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def drift(invocation: Invocation, plan_file: Path) -> None:
    """
    Open, update or close the issue about drift.

    FILE is the output of `sfcode plan --refresh-only --format json`.
    """
    from sfcode.errors import UsageError
    from sfcode.github.client import GitHub
    from sfcode.github.context import read_job_context
    from sfcode.github.drift import update_drift_issue
    from sfcode.plan.modes import Mode

    plan = invocation.load_plan(plan_file)
    if plan.mode is not Mode.REFRESH:
        raise UsageError(
            f"{plan_file} is a plan and does not show drift.",
            "Write the file with: sfcode plan --refresh-only --format json",
        )
    with GitHub(read_job_context(os.environ), needs="issues: write") as client:
        update = update_drift_issue(client, plan, invocation.config, os.environ)
    invocation.result.done = update.text
    if invocation.json:
        print_envelope({"drift": bool(plan.drifted), "issue": update.number, "done": update.text})
    else:
        print_status(invocation, update.text)
