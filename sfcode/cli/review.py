"""`sfcode review`: explain the effect of a change of the config, from two commits, without an org."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.diagnostics_output import format_option
from sfcode.cli.invocation import Invocation
from sfcode.cli.options import collect_options
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.errors import ExitCode, UsageError
from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sfcode.review.model import ReviewReport

FAIL_ON = ("error", "warning", "high", "never")


@dataclass(frozen=True, slots=True)
class CommentOptions:
    """The options of the pull request comment."""

    comment: bool = False
    plan_file: Path | None = None
    note: str = ""


@click.command()
@click.option("--base", metavar="REV", required=True, help="Commit, branch or tag that the change starts from.")
@click.option("--head", metavar="REV", help="Commit with the change. Default: the files in the working tree.")
@click.option("--direct", is_flag=True, help="Compare with BASE itself, not with the merge base of BASE and HEAD.")
@format_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="error",
    show_default=True,
    help="Exit with 1 on findings of this level; `high`: on errors and on changes of high risk.",
)
@click.option(
    "--comment", is_flag=True, help="Write the review to the pull request, as one comment that is edited in place."
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --comment: saved plan that the comment shows too.",
)
@click.option("--note", default="", metavar="TEXT", help="With --comment: a sentence below the review.")
@collect_options(CommentOptions, "comment")
@click.pass_obj
def review(
    invocation: Invocation,
    base: str,
    head: str | None,
    *,
    format_: str,
    fail_on: str,
    direct: bool,
    detailed_exitcode: bool,
    comment: CommentOptions,
) -> int:
    """
    Explain in plain words what a change of the config does.

    Compares two commits, offline: data sent and written, components, effective access and risk; and
    checks the result with the linter. Reviews every environment, or the one of --env.
    """
    from sfcode.generate import generate
    from sfcode.review.revisions import compare_revisions

    if not comment.comment and comment != CommentOptions():
        raise UsageError("--plan and --note add to the comment.", "Pass --comment too, or remove them.")
    result = compare_revisions(generate, invocation.config, base, head, environment=invocation.env, direct=direct)
    invocation.result.review, invocation.result.annotated = result, format_ == "github"
    if comment.comment:
        _comment(invocation, result, comment.plan_file, comment.note)
    code = ExitCode.CHANGES if detailed_exitcode and not result.is_empty else ExitCode.OK
    code = ExitCode.USER if result.fails(fail_on) else code
    _show(invocation, result, format_, code)
    return code


def _comment(invocation: Invocation, result: ReviewReport, plan_file: Path | None, note: str) -> None:
    from sfcode.github.client import GitHub
    from sfcode.github.context import read_job_context
    from sfcode.github.post_comment import CommentRequest, post_comment

    plan = invocation.load_plan(plan_file) if plan_file else None
    if plan and invocation.env and plan.environment != invocation.env:
        raise UsageError(
            f"{plan_file} is a plan for {plan.environment}, and this review is of {invocation.env}.",
            "Make a plan with the same --env.",
        )
    about = CommentRequest(result, invocation.config, plan.environment if plan else invocation.env or "", plan, note)
    with GitHub(read_job_context(os.environ), needs="pull-requests: write") as client:
        number, outcome = post_comment(client, about, os.environ)
    print_status(invocation, f"Pull request #{number}: the comment was {outcome.value}.", aside=True)


def _show(invocation: Invocation, result: ReviewReport, format_: str, code: ExitCode) -> None:
    if invocation.json:
        from sfcode.review.reports.document import to_document

        warnings = (*result.notes, *(str(finding) for finding in result.news))
        print_envelope(to_document(result), warnings, status=code)
    elif format_ == "json":
        from sfcode.review.reports.document import as_json

        echo(as_json(result))
    elif format_ == "markdown":
        from sfcode.review.reports.markdown import markdown

        echo(markdown(result), nl=False)
    elif format_ == "sarif":
        from sfcode.checks.writers.sarif import format_sarif

        echo(format_sarif(result.diagnostics, folder=result.folder, older=result.older))
    elif format_ == "github":
        from sfcode.checks.writers.github import format_annotations

        if lines := format_annotations((*result.problems, *result.news), result.folder):
            echo(lines)
    else:
        from sfcode.review.reports.text import text

        echo(text(result, paint))
