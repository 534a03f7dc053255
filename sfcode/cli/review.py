"""`sfcode review`: what a change of the config means, from two commits, without an org."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfcode.cli.output import envelope, paint
from sfcode.cli.session import Session
from sfcode.errors import ExitCode

if TYPE_CHECKING:
    from sfcode.review.model import Review

FORMATS = ("text", "json", "markdown", "sarif", "github")
FAIL_ON = ("error", "warning", "high", "never")


@click.command()
@click.option("--base", metavar="REV", required=True, help="Commit, branch or tag that the change starts from.")
@click.option("--head", metavar="REV", help="Commit with the change; left out, the files as they are now.")
@click.option("--direct", is_flag=True, help="Compare with BASE itself, not with the commit where HEAD left it.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to show it."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="error",
    show_default=True,
    help="Exit with 1 on findings of this level; `high`: on errors and on changes of high risk.",
)
@click.pass_obj
def review(
    session: Session,
    base: str,
    head: str | None,
    format_: str,
    fail_on: str,
    *,
    direct: bool,
    detailed_exitcode: bool,
) -> int:
    """
    Say in plain words what a change of the config means.

    Compares two commits, offline: what is sent and written, components, effective access and risk;
    and checks the result with the linter. Looks at every environment, or at the one of --env.
    """
    from sfcode.review.revisions import compare
    from sfcode.review.verdict import fails

    found = compare(session.config, base, head, environment=session.env, direct=direct)
    code = ExitCode.CHANGES if detailed_exitcode and not found.is_empty else ExitCode.OK
    code = ExitCode.USER if fails(found, fail_on) else code
    _show(session, found, format_, code)
    return code


def _show(session: Session, found: Review, format_: str, code: ExitCode) -> None:
    if session.json:
        from sfcode.review.reports.document import to_document

        warnings = (*found.notes, *(str(finding.problem) for finding in found.news))
        envelope(to_document(found), warnings, status=code)
    elif format_ == "json":
        from sfcode.review.reports.document import as_json

        click.echo(as_json(found))
    elif format_ == "markdown":
        from sfcode.review.reports.markdown import markdown

        click.echo(markdown(found), nl=False)
    elif format_ == "sarif":
        from sfcode.review.reports.sarif import sarif

        click.echo(sarif(found))
    elif format_ == "github":
        from sfcode.review.reports.github import github

        if lines := github(found):
            click.echo(lines)
    else:
        from sfcode.review.reports.text import text

        click.echo(text(found, paint))
